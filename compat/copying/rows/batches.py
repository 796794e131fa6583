"""One batch: rows, counts and checkpoint in one transaction."""

from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.models import F

from compat.copying.errors import LeaseLost
from compat.copying.key_types import Key, KeyList, Selection
from compat.copying.models import CopyRange, CopyRun
from compat.copying.reasons import Reason
from compat.copying.rows.insertion import insert
from compat.copying.rows.rejects import reject, unfit
from compat.copying.rows.selection import count_rows, halved, next_keys
from compat.copying.rows.statements import Statements


@dataclass(frozen=True)
class Written:
    """How many rows were copied, and the source keys of those that were rejected."""

    copied: int = 0
    rejected: tuple[Key, ...] = ()

    def __add__(self, other: "Written") -> "Written":
        return Written(self.copied + other.copied, self.rejected + other.rejected)


def copy_batch(run: CopyRun, part: CopyRange, statements: Statements, rows: int) -> Written:
    """Copy the next `rows` source rows of a range and move its checkpoint to the last of them.

    Raises LeaseLost, and then nothing was written.
    """
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        left = statements.keys.remaining(part)
        if not left:
            return Written()
        keys, expected = next_keys(statements, left, rows)
        if keys.last != left.last:
            async_commit(statements)
        written = write(run, statements, keys, expected)
        done_key = statements.keys.type.to_checkpoint(keys.last)
        counts = {"copied": written.copied, "rejected": len(written.rejected), "batches": 1}
        checkpoint(run, part, using, counts, done_key=done_key)
    part.done_key = done_key
    return written


def copy_missing(run: CopyRun, part: CopyRange, statements: Statements, keys: tuple[Key, ...]) -> Written:
    """Copy those source rows of a range with these keys that are neither in the target nor rejected."""
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        projected = statements.projected(KeyList(keys))
        missing = tuple(statements.fetch_keys(using, statements.missing_keys(projected, run.pk)))
        written = write(run, statements, KeyList(missing), len(missing)) if missing else Written()
        checkpoint(run, part, using, {"copied": written.copied, "rejected": len(written.rejected), "batches": 1})
    return written


def begin_batch(run: CopyRun, part: CopyRange, statements: Statements) -> None:
    """Prepare the transaction and read the checkpoint again: a commit whose answer was lost may have moved it."""
    with connections[statements.using].cursor() as cursor:
        statements.dialect.session.begin_batch(cursor)
    mine = CopyRange.objects.using(statements.using).filter(pk=part.pk, token=run.token)
    found = mine.values_list("done_key").first()
    if found is None:
        raise LeaseLost(run.pk)
    (part.done_key,) = found


def async_commit(statements: Statements) -> None:
    """Let the open transaction's commit not wait for the disk: rows and checkpoint are lost or kept together.

    The last batch of a range never does so. Its commit makes all before it durable, too, so that a worker
    that has gone on to another range need not come back after a crash of the server.
    """
    with connections[statements.using].cursor() as cursor:
        statements.dialect.session.async_commit(cursor)


def checkpoint(run: CopyRun, part: CopyRange, using: str, counts: dict[str, int], **moved: Any) -> None:
    """Add to the counts of a range, and move its checkpoint to a given `done_key`.

    Raises LeaseLost when the run has another fencing token.
    """
    mine = CopyRange.objects.using(using).filter(pk=part.pk, token=run.token)
    if not mine.update(**moved, **{name: F(name) + number for name, number in counts.items()}):
        raise LeaseLost(run.pk)


def write(run: CopyRun, statements: Statements, rows: Selection, expected: int) -> Written:
    """Copy the selected source rows, `expected` by number, and reject those that do not fit.

    When the database refuses a statement, the rows that break a constraint are rejected by one statement. The rows
    that are still refused are found by halving.
    """
    for only_fit in [True] if statements.is_checked_first else [False, True]:
        try:
            with transaction.atomic(using=statements.using):
                return _copy(run, statements, rows, expected, only_fit=only_fit)
        except DatabaseError as error:
            if not statements.is_row_error(error):
                raise
            refusal = Reason.of_error(error)
    return _bisect(run, statements, rows, refusal)


def _copy(run: CopyRun, statements: Statements, rows: Selection, expected: int, *, only_fit: bool) -> Written:
    projected = statements.projected(rows)
    copied = insert(statements, projected, expected, only_fit=only_fit)
    if copied >= expected:
        return Written(copied)
    reasons = unfit(statements, projected, only_missing=True)
    reject(run, statements, reasons)
    return Written(copied, tuple(reasons))


def _bisect(run: CopyRun, statements: Statements, rows: Selection, refusal: Reason) -> Written:
    parts = halved(statements, rows)
    if parts is None:
        return Written()
    if not isinstance(parts, tuple):
        reject(run, statements, {parts: [refusal]})
        return Written(0, (parts,))
    left, right = (write(run, statements, part, count_rows(statements, part)) for part in parts)
    return left + right
