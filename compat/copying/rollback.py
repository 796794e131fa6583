"""Take a run's rows back: exactly those that still hold what the run wrote."""

import logging

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from compat.copying import ledger
from compat.copying.batches import begin_batch, checkpoint
from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.retrying import retrying
from compat.copying.selection import KeyRange
from compat.copying.sizing import BatchSize
from compat.copying.sql import execute, fetch
from compat.copying.statements import Statements
from compat.copying.states import State
from compat.copying.verification import Differences, compare

logger = logging.getLogger(__name__)


def roll_back_run(job: Job, run: CopyRun) -> Differences | None:
    """Delete the unchanged rows of a run, from the last key down; return the kept ones, None when stopped."""
    statements = job.statements(run)
    kept = Differences()
    for part in CopyRange.objects.using(job.using).filter(run=run).order_by("-first_key"):
        size = BatchSize(job.batch_size, rows=job.batch_size or 10_000)
        while part.next_key > part.first_key:
            if job.stop.requested():
                return None
            deleted = _batch(job, run, part, statements, size)
            job.progress.advance(deleted)
        kept += _kept(run, statements, part)
    ledger.open_rejects(run, job.using).update(resolved_at=Now())
    return kept


def _batch(job: Job, run: CopyRun, part: CopyRange, statements: Statements, size: BatchSize) -> int:
    deleted = retrying(
        lambda: _delete_batch(run, part, statements, size.rows),
        using=job.using, what=f"run {run.pk}, rollback below key {part.next_key}", stop=job.stop,
        on_timeout=size.timed_out,
    )  # fmt: skip
    logger.debug("run %d: %d rows taken back, down to key %d", run.pk, deleted, part.next_key)
    return deleted


def _delete_batch(run: CopyRun, part: CopyRange, statements: Statements, rows: int) -> int:
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        if part.next_key <= part.first_key:
            return 0
        boundary = fetch(using, statements.rollback_boundary(part.first_key, part.next_key - 1, rows))
        keys = KeyRange(boundary[0][0] if boundary else part.first_key, part.next_key - 1)
        deleted = _delete(statements, keys)
        checkpoint(run, part, using, next_key=keys.first, copied=-deleted, batches=1)
    part.next_key = keys.first
    return deleted


def _delete(statements: Statements, keys: KeyRange) -> int:
    """Delete the unchanged rows; one that other rows refer to stays."""
    try:
        with transaction.atomic(using=statements.using):
            mapped = statements.mapped(keys.condition)
            return execute(statements.using, statements.delete_unchanged(mapped, keys.first, keys.last))
    except IntegrityError:
        if keys.first == keys.last:
            return 0
    middle = (keys.first + keys.last) // 2
    return _delete(statements, KeyRange(keys.first, middle)) + _delete(statements, KeyRange(middle + 1, keys.last))


def _kept(run: CopyRun, statements: Statements, part: CopyRange) -> Differences:
    [(left,)] = fetch(statements.using, statements.count_target(part.first_key, part.last_key))
    if not left:
        return Differences()
    found = compare(run, statements, KeyRange(part.first_key, part.last_key))
    return Differences(extra=found.extra, changed=found.changed, samples={
        kind: keys for kind, keys in found.samples.items() if kind != "missing"
    })  # fmt: skip


def next_to_roll_back(job: Job) -> CopyRun | None:
    """Return the newest run whose rows are in the target."""
    return ledger.runs_of(job.copy, job.using).exclude(state=State.ROLLED_BACK).first()
