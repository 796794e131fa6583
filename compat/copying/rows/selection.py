"""Which source rows a statement is about: a range of keys, or some keys."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db import DatabaseError, transaction

from compat.copying.rows.staging import ROWS
from compat.copying.rows.statements import Statements
from compat.database.sql import fetch

Answer = TypeVar("Answer")


class Selection(Protocol):
    """Source rows that can be selected, and parted at a key."""

    @property
    def condition(self) -> dict[str, Any]:
        """The ORM condition that these rows meet."""

    def parted(self, key: int) -> "tuple[Selection, Selection]":
        """Return the rows up to `key`, and those behind it."""


@dataclass(frozen=True)
class KeyRange:
    """The source rows with keys from `first` to `last`."""

    first: int
    last: int

    @property
    def condition(self) -> dict[str, Any]:
        """The ORM condition that these rows meet."""
        return {"pk__gte": self.first, "pk__lte": self.last}

    def parted(self, key: int) -> "tuple[KeyRange, KeyRange]":
        """Return the range up to `key`, and the range behind it."""
        return KeyRange(self.first, key), KeyRange(key + 1, self.last)


@dataclass(frozen=True)
class Keys:
    """The source rows with these keys."""

    keys: tuple[int, ...]

    @property
    def condition(self) -> dict[str, Any]:
        """The ORM condition that these rows meet."""
        return {"pk__in": list(self.keys)}

    def parted(self, key: int) -> tuple[Selection, Selection]:
        """Return the keys up to `key`, and those behind it."""
        return Keys(tuple(k for k in self.keys if k <= key)), Keys(tuple(k for k in self.keys if k > key))


def chunks(statements: Statements, keys: KeyRange) -> Iterator[KeyRange]:
    """Part a range so that its rows fit on their way from another database; within one it stays whole."""
    while statements.is_cross_database and keys.first <= keys.last:
        part, _ = next_keys(statements, keys, ROWS)
        yield part
        keys = KeyRange(part.last + 1, keys.last)
    if keys.first <= keys.last:
        yield keys


def next_keys(statements: Statements, keys: KeyRange, rows: int) -> tuple[KeyRange, int]:
    """Return the beginning of a range that holds `rows` source rows, or all of it, and the number of its rows."""
    [(found, last)] = fetch(statements.source_using, statements.boundary(keys.first, keys.last, rows))
    return KeyRange(keys.first, last if found == rows else keys.last), found


def bisected(
    statements: Statements, keys: KeyRange, attempt: Callable[[KeyRange], Answer], alone: Callable[[int], Answer]
) -> Iterator[Answer]:
    """Yield what `attempt` answers for a range; where the database refuses a row, halve, and ask `alone` for it."""
    try:
        yield attempt(keys)
        return
    except DatabaseError as error:
        if not statements.is_row_error(error):
            raise
    rows = statements.selected(keys.condition)
    [(count,)] = fetch(statements.source_using, statements.count(rows))
    if count:
        [(middle,)] = fetch(statements.source_using, statements.nth_key(rows, max(1, count // 2)))
        if count == 1:
            yield alone(middle)
        else:
            for part in keys.parted(middle):
                yield from bisected(statements, part, attempt, alone)


def staged(statements: Statements) -> AbstractContextManager[None]:
    """Open the transaction that rows from another database need, for they lie in a temporary table."""
    return transaction.atomic(using=statements.using) if statements.is_cross_database else nullcontext()
