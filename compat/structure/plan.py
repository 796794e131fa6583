"""What a repair would do, as values: shown by --dry-run, carried out by --fix."""

from dataclasses import dataclass

from compat.structure.findings import Finding
from compat.structure.snapshot import Column

TABLES, COLUMNS, RULES, REFERENCES = range(4)


@dataclass(frozen=True)
class Obstacle:
    """A query for rows that stand in the way of a repair; `one` and `many` say what one row does, and what many do."""

    query: str
    one: str
    many: str


def unconvertible(query: str, column: Column) -> Obstacle:
    """Return the obstacle of values that would not survive a change of the column's type."""
    values = f"of {column.name} that {column.type} cannot hold unchanged"
    return Obstacle(query, f"row holds a value {values}", f"rows hold values {values}")


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
