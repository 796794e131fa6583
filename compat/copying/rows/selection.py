"""Dividing source rows: ranges that can be staged at once, the next batch, halves where a row is refused."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from django.db import DatabaseError, transaction

from compat.copying.key_types import Key, KeyRange, Selection
from compat.copying.rows.staging import MAX_STAGED_ROWS
from compat.copying.rows.statements import Statements
from compat.database.sql import fetch

Answer = TypeVar("Answer")
Part = TypeVar("Part", bound=Selection)


def chunks(statements: Statements, keys: KeyRange) -> Iterator[KeyRange]:
    """Divide a range so that the rows of each part can be staged at once; within one database it stays whole."""
    while statements.is_cross_database and keys:
        part, _ = next_keys(statements, keys, MAX_STAGED_ROWS)
        yield part
        keys = KeyRange(part.last, keys.last)
    if keys:
        yield keys


def next_keys(statements: Statements, keys: KeyRange, rows: int) -> tuple[KeyRange, int]:
    """Return the beginning of a range that holds `rows` source rows, or all of it, and the number of its rows.

    Only the bare key in the source is read.
    """
    if found := statements.fetch_keys(statements.source_using, statements.nth_source_key(keys, rows)):
        return KeyRange(keys.after, found[0]), rows
    return keys, count_rows(statements, keys)


def count_rows(statements: Statements, rows: Selection) -> int:
    """Count source rows."""
    [(count,)] = fetch(statements.source_using, statements.count_source(rows))
    return int(count)


def halved(statements: Statements, rows: Part) -> "tuple[Part, Part] | Key | None":
    """Return two parts of source rows with half of their keys each, the key where there is one, or None."""
    [(count,)] = fetch(statements.source_using, statements.count_source_keys(rows))
    if not count:
        return None
    query = statements.nth_source_key(rows, max(1, count // 2), distinct=True)
    [middle] = statements.fetch_keys(statements.source_using, query)
    return middle if count == 1 else rows.halves(middle)


def bisected(
    statements: Statements, keys: KeyRange, attempt: Callable[[KeyRange], Answer], alone: Callable[[Key], Answer]
) -> Iterator[Answer]:
    """Yield what `attempt` answers for a range; where the database refuses a row, halve, and ask `alone` for it."""
    try:
        yield attempt(keys)
        return
    except DatabaseError as error:
        if not statements.is_row_error(error):
            raise
    parts = halved(statements, keys)
    if isinstance(parts, tuple):
        for part in parts:
            yield from bisected(statements, part, attempt, alone)
    elif parts is not None:
        yield alone(parts)


def staged(statements: Statements) -> AbstractContextManager[None]:
    """Open the transaction that the staging table needs; within one database none is needed."""
    return transaction.atomic(using=statements.using) if statements.is_cross_database else nullcontext()
