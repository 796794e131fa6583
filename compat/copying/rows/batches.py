"""One batch: rows, counts and checkpoint in one transaction."""

from dataclasses import dataclass

from django.db import DatabaseError, connections, transaction
from django.db.models import F

from compat.copying.errors import LeaseLost
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.insertion import insert
from compat.copying.rows.rejects import reject, reject_unfit
from compat.copying.rows.selection import KeyRange, Keys, Selection, next_keys
from compat.copying.rows.statements import Statements
from compat.database.sql import fetch
from compat.database.text import one_line


@dataclass(frozen=True)
class Written:
    """How many rows were brought over, and the source keys of those that went to the rejects."""

    copied: int = 0
    rejected: tuple[int, ...] = ()

    def __add__(self, other: "Written") -> "Written":
        return Written(self.copied + other.copied, self.rejected + other.rejected)


def copy_batch(run: CopyRun, part: CopyRange, statements: Statements, rows: int) -> Written:
    """Copy the next `rows` source rows of a range and move its checkpoint behind them.

    Raises LeaseLost, and then nothing was written.
    """
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        if part.next_key > part.last_key:
            return Written()
        keys, expected = next_keys(statements, KeyRange(part.next_key, part.last_key), rows)
        if keys.last < part.last_key:
            async_commit(statements)
        written = write(run, statements, keys, expected)
        counts = {"copied": written.copied, "rejected": len(written.rejected), "batches": 1}
        checkpoint(run, part, using, next_key=keys.last + 1, **counts)
    part.next_key = keys.last + 1
    return written


def copy_missing(run: CopyRun, part: CopyRange, statements: Statements, keys: tuple[int, ...]) -> Written:
    """Copy those source rows of a range with these keys that are neither in the target nor rejected."""
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        projected = statements.projected(Keys(keys).condition)
        missing = tuple(key for (key,) in fetch(using, statements.missing_keys(projected, run.pk)))
        written = write(run, statements, Keys(missing), len(missing)) if missing else Written()
        counts = {"copied": written.copied, "rejected": len(written.rejected), "batches": 1}
        checkpoint(run, part, using, next_key=part.next_key, **counts)
    return written


def begin_batch(run: CopyRun, part: CopyRange, statements: Statements) -> None:
    """Prepare the transaction and read the checkpoint anew: a commit whose answer was lost may have moved it."""
    with connections[statements.using].cursor() as cursor:
        statements.dialect.begin_batch(cursor)
    mine = CopyRange.objects.using(statements.using).filter(pk=part.pk, token=run.token)
    next_key = mine.values_list("next_key", flat=True).first()
    if next_key is None:
        raise LeaseLost(run.pk)
    part.next_key = next_key


def async_commit(statements: Statements) -> None:
    """Let the open transaction's commit not wait for the disk: rows and checkpoint are lost or kept together.

    The last batch of a range never does so. Its commit makes all before it durable, too, so that a worker
    that has gone on to another range need not come back after a crash of the server.
    """
    with connections[statements.using].cursor() as cursor:
        statements.dialect.async_commit(cursor)


def checkpoint(run: CopyRun, part: CopyRange, using: str, *, next_key: int, **counts: int) -> None:
    """Move the checkpoint of a range and add to its counts. Raises LeaseLost when the token is not ours."""
    mine = CopyRange.objects.using(using).filter(pk=part.pk, token=run.token)
    if not mine.update(next_key=next_key, **{name: F(name) + number for name, number in counts.items()}):
        raise LeaseLost(run.pk)


def write(run: CopyRun, statements: Statements, rows: Selection, expected: int) -> Written:
    """Copy the selected source rows, `expected` by number; put those that do not fit to the rejects.

    When the database refuses a statement, the rows that break a constraint are set apart in one statement,
    and only what is refused still is halved, down to the row.
    """
    for only_fit in [True] if statements.checked else [False, True]:
        try:
            with transaction.atomic(using=statements.using):
                return _copy(run, statements, rows, expected, only_fit=only_fit)
        except DatabaseError as error:
            if not statements.is_row_error(error):
                raise
            refusal = one_line(error)
    return _halve(run, statements, rows, refusal)


def _copy(run: CopyRun, statements: Statements, rows: Selection, expected: int, *, only_fit: bool) -> Written:
    projected = statements.projected(rows.condition)
    copied = insert(statements, projected, expected, only_fit=only_fit)
    return Written(copied, reject_unfit(run, statements, projected) if copied < expected else ())


def _halve(run: CopyRun, statements: Statements, rows: Selection, refusal: str) -> Written:
    keys = statements.selected(rows.condition)
    [(count,)] = fetch(statements.source_using, statements.count(keys))
    if count == 0:
        return Written()
    [(middle,)] = fetch(statements.source_using, statements.nth_key(keys, max(1, count // 2)))
    if count == 1:
        reject(run, statements, {middle: refusal})
        return Written(0, (middle,))
    left, right = rows.parted(middle)
    return write(run, statements, left, count // 2) + write(run, statements, right, count - count // 2)
