"""What a repair on PostgreSQL is about: a finding with both sides of its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compat.structure.backends.base import Backend, Values
from compat.structure.findings import Finding
from compat.structure.plan import COLUMNS, Step
from compat.structure.snapshot import Column, Table


@dataclass(frozen=True)
class Subject:
    """A finding with both sides of its table."""

    backend: Backend
    finding: Finding
    expected: Table
    actual: Table
    values: Values

    @property
    def table(self) -> str:
        """The table's quoted name."""
        schema, dot, name = self.expected.name.rpartition(".")
        return f"{self.quote(schema)}.{self.quote(name)}" if dot else self.quote(name)

    def quote(self, name: str) -> str:
        """Return a quoted name."""
        return self.backend.quote(name)

    @property
    def column(self) -> Column:
        """The expected column."""
        return self.expected.columns[str(self.finding.object)]

    @property
    def alter_column(self) -> str:
        """The beginning of a statement about the column."""
        return f"ALTER TABLE {self.table} ALTER COLUMN {self.quote(self.column.name)}"

    @property
    def is_large(self) -> bool:
        """Whether indexes are built, and constraints validated, beside the application's writes."""
        return self.backend.is_large(self.actual)

    def step(self, *sql: str, order: int = COLUMNS, rewrite: bool = False, concurrent: bool = False) -> Step:
        """Return the step that carries out these statements."""
        return Step(self.expected.name, (self.finding,), sql, order, rewrite, concurrent)


Remedy = Callable[[Subject], Step | Sequence[Step] | None]
