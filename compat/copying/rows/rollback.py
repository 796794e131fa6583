"""Take a run's rows back: exactly those that still hold what the run wrote."""

import logging
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from compat.copying.job import Job
from compat.copying.key_types import KeyRange
from compat.copying.messages import Message
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import async_commit, begin_batch, checkpoint
from compat.copying.rows.selection import bisected, chunks
from compat.copying.rows.statements import Statements
from compat.copying.rows.verification import Differences, compare_keys
from compat.copying.runner.batch_size import BatchSize
from compat.copying.runs import store
from compat.copying.states import State
from compat.database.sql import execute, fetch

logger = logging.getLogger(__name__)


@dataclass
class Kept:
    """Rows of a run that a rollback left: changed since, without their source row, or referred to by others."""

    differences: Differences
    referred_to: int = 0

    def __bool__(self) -> bool:
        return bool(self.differences or self.referred_to)

    def message(self) -> Message:
        """Say how many rows were kept and why."""
        kept = [self.differences.message()] if self.differences else []
        if self.referred_to:
            kept.append(Message("referenced_rows", rows=self.referred_to))
        return Message("list", items=kept) if kept else Message("none")


def roll_back_run(job: Job, run: CopyRun) -> Kept | None:
    """Delete the unchanged rows of a run, from the last key down; return the kept ones, None when stopped."""
    statements = job.statements(run)
    kept = Kept(Differences())
    parts = CopyRange.objects.using(job.using).filter(run=run).order_by("-pk")
    for part in job.retrying(lambda: list(parts.all()), f"run {run.pk}, looking for its ranges"):
        size = BatchSize(job.batch_size, rows=job.batch_size or 10_000)
        while statements.keys.done(part):
            if job.stop.requested():
                return None
            deleted = _batch(job, run, part, statements, size)
            job.progress.advance(deleted)
        _add_kept(job, run, statements, part, kept)
    store.open_rejects(run, job.using).update(resolved_at=Now())
    return kept


def _batch(job: Job, run: CopyRun, part: CopyRange, statements: Statements, size: BatchSize) -> int:
    deleted = job.retrying(
        lambda: _delete_batch(run, part, statements, size.rows),
        f"run {run.pk}, rollback down from key {part.done_key}",
        size.timed_out,
    )
    logger.debug("run %d: %d rows deleted, down to key %s", run.pk, deleted, part.done_key)
    return deleted


def _delete_batch(run: CopyRun, part: CopyRange, statements: Statements, rows: int) -> int:
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        done = statements.keys.done(part)
        if not done:
            return 0
        below = statements.fetch_keys(using, statements.nth_target_key_down(done, rows + 1))
        keys = KeyRange(statements.keys.source_key(below[0]), done.last) if below else done
        if keys.after != done.after:
            async_commit(statements)
        deleted = sum(bisected(statements, keys, lambda part: _delete(statements, part), lambda key: 0))
        done_key = statements.keys.type.to_checkpoint(keys.after)
        checkpoint(run, part, using, {"copied": -deleted, "batches": 1}, done_key=done_key)
    part.done_key = done_key
    return deleted


def _delete(statements: Statements, keys: KeyRange) -> int:
    with transaction.atomic(using=statements.using):
        projected = statements.projected(keys)
        return execute(statements.using, statements.delete_unchanged(projected, keys))


def _add_kept(job: Job, run: CopyRun, statements: Statements, part: CopyRange, kept: Kept) -> None:
    within = statements.keys.range_of(part)
    [(left,)] = fetch(statements.using, statements.count_target(within))
    if not left or not statements.keys.owns_range:
        return
    for keys in chunks(statements, within):
        found = job.retrying(partial(compare_keys, run, statements, keys), f"run {run.pk}, looking for rows kept")
        found.missing = 0
        found.samples.pop("missing", None)
        kept.differences += found
        left -= found.extra + found.changed
    kept.referred_to += left


def next_to_roll_back(job: Job) -> CopyRun | None:
    """Return the newest run whose rows are in the target."""
    return store.runs_of(job.copy, job.using).exclude(state=State.ROLLED_BACK).first()
