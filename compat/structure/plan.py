"""What a repair would do, as values: shown by --dry-run, carried out by --fix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext_lazy

from compat.structure.findings import Finding
from compat.structure.snapshot import Column

TABLES, COLUMNS, RULES, REFERENCES = range(4)


@dataclass(frozen=True)
class Obstacle:
    """A query for rows that stand in the way of a repair; `text`, of ngettext_lazy by `count`, says what they do."""

    query: str
    text: Any
    names: Mapping[str, str]

    def describe(self, count: int) -> str:
        """Return what so many rows do."""
        return str(self.text % {**self.names, "count": count})


def unconvertible(query: str, column: Column) -> Obstacle:
    """Return the obstacle of values that would not survive a change of the column's type."""
    text = ngettext_lazy(
        "%(count)d row holds a value of %(column)s that %(type)s cannot hold unchanged",
        "%(count)d rows hold values of %(column)s that %(type)s cannot hold unchanged",
        "count",
    )
    return Obstacle(query, text, {"column": column.name, "type": column.type})


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
