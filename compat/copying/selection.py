"""Which source rows a statement is about: a range of keys, or some keys."""

from dataclasses import dataclass
from typing import Protocol

from compat.copying.statements import Sql, Statements


class Selection(Protocol):
    """Source rows that can be mapped, and parted at a key."""

    def mapped(self, statements: Statements) -> Sql:
        """Select the rows as the target shall hold them."""

    def parted(self, key: int) -> "tuple[Selection, Selection]":
        """Return the rows up to `key`, and those behind it."""


@dataclass(frozen=True)
class KeyRange:
    """The source rows with keys from `first` to `last`."""

    first: int
    last: int

    def mapped(self, statements: Statements) -> Sql:
        """Select the rows as the target shall hold them."""
        return statements.mapped({"pk__gte": self.first, "pk__lte": self.last})

    def parted(self, key: int) -> tuple[Selection, Selection]:
        """Return the range up to `key`, and the range behind it."""
        return KeyRange(self.first, key), KeyRange(key + 1, self.last)


@dataclass(frozen=True)
class Keys:
    """The source rows with these keys."""

    keys: tuple[int, ...]

    def mapped(self, statements: Statements) -> Sql:
        """Select the rows as the target shall hold them."""
        return statements.mapped({"pk__in": list(self.keys)})

    def parted(self, key: int) -> tuple[Selection, Selection]:
        """Return the keys up to `key`, and those behind it."""
        return Keys(tuple(k for k in self.keys if k <= key)), Keys(tuple(k for k in self.keys if k > key))
