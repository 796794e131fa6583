"""Pair the columns and constraints that should exist with those that do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from compat.structure.constraints import Constraint, ForeignKey, PrimaryKey
from compat.structure.project import ModelTable
from compat.structure.schema import Column, RelationKind, Table, TypeDifference

MIN_LIKENESS = 0.8
"""From which ratio of equal characters on two names count as alike."""


class Matching(NamedTuple):
    """The result of pairing constraints and indexes."""

    missing: tuple[Constraint, ...]
    extra: tuple[Constraint, ...]
    pairs: tuple[tuple[Constraint, Constraint], ...]


def match(expected: Iterable[Constraint], actual: Iterable[Constraint]) -> Matching:
    """Pair constraints and indexes by meaning, then by name, then by the place that only one of them can take."""
    missing, extra = list(expected), list(actual)
    pairs: list[tuple[Constraint, Constraint]] = []
    for same in (_same_in_all, _same_meaning, _same_name, _same_place):
        for wanted in tuple(missing):
            found = next((item for item in extra if same(wanted, item)), None)
            if found is not None:
                missing.remove(wanted)
                extra.remove(found)
                pairs.append((wanted, found))
    return Matching(tuple(missing), tuple(extra), tuple(pairs))


def _same_in_all(one: Constraint, other: Constraint) -> bool:
    return one.signature == other.signature and one.name == other.name and one.state() == other.state()


def _same_meaning(one: Constraint, other: Constraint) -> bool:
    return one.signature == other.signature


def _same_name(one: Constraint, other: Constraint) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def _same_place(one: Constraint, other: Constraint) -> bool:
    """Whether both are primary keys, or foreign keys on the same columns."""
    if isinstance(one, PrimaryKey):
        return isinstance(other, PrimaryKey)
    return isinstance(one, ForeignKey) and isinstance(other, ForeignKey) and one.columns == other.columns


def counterpart(expected: Table, actual: Table, constraint: Constraint) -> Constraint | None:
    """Return what is paired with an expected constraint, or has its name."""
    return paired(expected, actual, constraint) or next(
        (other for other in actual.constraints if other.name == constraint.name), None
    )


def paired(expected: Table, actual: Table, constraint: Constraint) -> Constraint | None:
    """Return the existing constraint that is paired with an expected one."""
    pairs = match(expected.constraints, actual.constraints).pairs
    return next((found for wanted, found in pairs if wanted == constraint), None)


def renamed_columns(expected: Table, actual: Table) -> Mapping[str, str]:
    """Return old name → new name of the missing columns that extra columns seem to be.

    Those with the same definition are paired by the likeness of their names, then by their order. A column that has
    the same name but for case and underscores was renamed even if its definition differs.
    """
    missing = [column for name, column in expected.columns.items() if name not in actual.columns]
    extra = [column for name, column in actual.columns.items() if name not in expected.columns]
    found: dict[str, str] = {}
    for same in (_same_words, _alike, _same_definition):
        for new in tuple(missing):
            old = max((column for column in extra if same(column, new)), key=_likeness(new), default=None)
            if old is not None:
                missing.remove(new)
                extra.remove(old)
                found[old.name] = new.name
    return found


def _same_definition(old: Column, new: Column) -> bool:
    return old.db_signature == new.db_signature


def _same_words(old: Column, new: Column) -> bool:
    return _words(old) == _words(new)


def _alike(old: Column, new: Column) -> bool:
    """Whether one name contains the other, or nearly equals it."""
    one, other = _words(old), _words(new)
    return _same_definition(old, new) and (one in other or other in one or _ratio(one, other) >= MIN_LIKENESS)


def _likeness(new: Column) -> Callable[[Column], float]:
    """Return how like a name is to that of `new`; 0 for all that are not alike, so that the first one counts."""
    return lambda old: _ratio(_words(old), _words(new)) if _alike(old, new) else 0.0


def _words(column: Column) -> str:
    return column.name.replace("_", "").casefold()


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


@dataclass(frozen=True)
class Sides:
    """One table as the models need it and as it is. `lost_tables` are expected tables that do not exist."""

    expected: Table
    actual: Table
    type_difference: Callable[[str, str], TypeDifference | None]
    owner: ModelTable | None = None
    lost_tables: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.expected.name

    @property
    def declared(self) -> frozenset[str]:
        """The names of constraints and indexes that the model declares and later migrations look for."""
        return self.owner.declared if self.owner else frozenset()

    @property
    def comparable(self) -> bool:
        """Whether both sides are tables that could be read."""
        readable = not (self.expected.unreadable or self.actual.unreadable)
        return readable and self.actual.kind is RelationKind.TABLE

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """The columns that seem renamed, old name → new name."""
        return renamed_columns(self.expected, self.actual)

    @cached_property
    def matching(self) -> Matching:
        """The constraints and indexes, paired; those found are on the new names of renamed columns."""
        actual = (
            replace(item, columns=tuple(self.renamed.get(name, name) for name in item.columns))
            for item in self.actual.constraints
        )
        return match(self.expected.constraints, actual)

    def columns(self) -> Iterator[tuple[Column, Column]]:
        """Yield the columns that are on both sides."""
        for name, column in self.expected.columns.items():
            if name in self.actual.columns:
                yield column, self.actual.columns[name]
