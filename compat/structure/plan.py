"""What a repair would do, as values: shown by --dry-run, carried out by --fix."""

from dataclasses import dataclass

from compat.structure.findings import Finding

TABLES, COLUMNS, RULES, REFERENCES = range(4)


@dataclass(frozen=True)
class Obstacle:
    """A query for rows that stand in the way of a repair; `reason` says what they do."""

    query: str
    reason: str


@dataclass(frozen=True)
class Step:
    """Statements that repair some findings of one table together.

    `order`: TABLES come before COLUMNS, those before RULES, and REFERENCES to other tables last.
    `rewrite`: they rewrite the table or hold a long lock. `concurrent`: they run outside a transaction. `refusal`:
    why the statements would do harm, so that nothing is done.
    """

    table: str
    findings: tuple[Finding, ...]
    sql: tuple[str, ...]
    order: int = 0
    rewrite: bool = False
    concurrent: bool = False
    refusal: str = ""
