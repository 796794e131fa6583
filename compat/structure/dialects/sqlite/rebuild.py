"""Rebuild a table (https://sqlite.org/lang_altertable.html, section 7).

A rebuild keeps each column and constraint as it is, except for those being repaired, so that nothing is lost that
the models do not know.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from compat.structure.constraints import Constraint, PrimaryKey
from compat.structure.matching import paired
from compat.structure.schema import Column, Table
from compat.structure.steps import Step

Quote = Callable[[str], str]


@dataclass(frozen=True)
class RebuildStep(Step):
    """A step that becomes a part of the rebuild of its table.

    `columns` are taken from the model, `constraints` are created or repaired, and `fillers` are the literals for
    existing rows in new columns. A step with statements of its own needs a rebuild only if another step does.
    """

    columns: frozenset[str] = frozenset()
    constraints: tuple[Constraint, ...] = ()
    fillers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rebuild:
    """All parts of the rebuild of one table."""

    expected: Table
    actual: Table
    parts: tuple[RebuildStep, ...]
    quote: Quote
    literal: Quote

    def statements(self) -> Iterator[str]:
        """Yield the statements that build the new table, copy the rows, and put it in place of the old one."""
        columns = self._columns()
        name, new = self.quote(self.actual.name), self.quote(f"new__{self.actual.name}")
        body = [column.definition for column in columns] + list(self._constraints(columns))
        yield f"CREATE TABLE {new} ({', '.join(body)}) {self.actual.suffix}".strip() + ";"
        copied = {self.quote(c.name): self.quote(c.name) for c in self.actual.columns.values() if not c.generated}
        for part in self.parts:
            copied |= {self.quote(column): filler for column, filler in part.fillers.items()}
        yield f"INSERT INTO {new} ({', '.join(copied)}) SELECT {', '.join(copied.values())} FROM {name};"  # noqa: S608  quoted
        if any(column.auto for column in self.actual.columns.values()):
            yield from self._keep_sequence()
        yield f"DROP TABLE {name};"
        yield f"ALTER TABLE {new} RENAME TO {name};"
        yield from (f"{item.definition};" for item in self.actual.constraints if item.is_standalone)

    def _keep_sequence(self) -> Iterator[str]:
        old, new = self.literal(self.actual.name), self.literal(f"new__{self.actual.name}")
        yield f"DELETE FROM sqlite_sequence WHERE name = {new};"  # noqa: S608  a literal
        yield f"INSERT INTO sqlite_sequence SELECT {new}, seq FROM sqlite_sequence WHERE name = {old};"  # noqa: S608

    def _columns(self) -> list[Column]:
        """Return the existing columns, repaired ones as the model has them, then the missing ones."""
        repaired = {name.casefold() for part in self.parts for name in part.columns}
        for constraint in self._wanted():
            is_there = paired(self.expected, self.actual, constraint) is not None
            if constraint.inline_column and (isinstance(constraint, PrimaryKey) or is_there):
                repaired.add(constraint.inline_column)
        existing = [
            self.expected.columns[key] if key in repaired else column for key, column in self.actual.columns.items()
        ]
        missing = repaired - set(self.actual.columns)
        return existing + [column for key, column in self.expected.columns.items() if key in missing]

    def _wanted(self) -> list[Constraint]:
        return [constraint for part in self.parts for constraint in part.constraints]

    def _constraints(self, columns: Iterable[Column]) -> Iterator[str]:
        """Yield the table's constraints that are not inline: the existing ones, then the missing ones."""
        chosen = {id(column) for column in columns}
        inline = [*_inline(self.expected, chosen), *_inline(self.actual, chosen)]
        given = {constraint.signature for constraint in inline}
        has_key = any(isinstance(constraint, PrimaryKey) for constraint in inline)
        wanted = self._wanted()
        replaced = [paired(self.expected, self.actual, constraint) for constraint in wanted]
        for item in (*(item for item in self.actual.constraints if item not in replaced), *wanted):
            if item.is_standalone or item.signature in given or (has_key and isinstance(item, PrimaryKey)):
                continue
            given.add(item.signature)
            yield item.definition


def _inline(table: Table, chosen: set[int]) -> Iterator[Constraint]:
    """Yield the inline constraints of those columns of the table that were chosen."""
    for constraint in table.constraints:
        column = table.columns.get(constraint.inline_column)
        if constraint.inline_column and column is not None and id(column) in chosen:
            yield constraint
