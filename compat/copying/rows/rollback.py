"""Take a run's rows back: exactly those that still hold what the run wrote."""

import logging
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import async_commit, begin_batch, checkpoint
from compat.copying.rows.selection import KeyRange, bisected, chunks
from compat.copying.rows.statements import Statements
from compat.copying.rows.verification import Differences
from compat.copying.runner.batch_size import BatchSize
from compat.copying.runner.final_verification import compare_all
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

    def __str__(self) -> str:
        text = ngettext("%(rows)d that other rows refer to", "%(rows)d that other rows refer to", self.referred_to)
        referred = text % {"rows": self.referred_to} if self.referred_to else ""
        return ", ".join(filter(None, [str(self.differences) if self.differences else "", referred])) or _("none")


def roll_back_run(job: Job, run: CopyRun) -> Kept | None:
    """Delete the unchanged rows of a run, from the last key down; return the kept ones, None when stopped."""
    statements = job.statements(run)
    kept = Kept(Differences())
    parts = CopyRange.objects.using(job.using).filter(run=run).order_by("-first_key")
    for part in job.retrying(lambda: list(parts.all()), f"run {run.pk}, looking for its ranges"):
        size = BatchSize(job.batch_size, rows=job.batch_size or 10_000)
        while part.next_key > part.first_key:
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
        f"run {run.pk}, rollback below key {part.next_key}",
        size.timed_out,
    )
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
        if keys.first > part.first_key:
            async_commit(statements)
        deleted = sum(bisected(statements, keys, lambda part: _delete(statements, part), lambda key: 0))
        checkpoint(run, part, using, next_key=keys.first, copied=-deleted, batches=1)
    part.next_key = keys.first
    return deleted


def _delete(statements: Statements, keys: KeyRange) -> int:
    with transaction.atomic(using=statements.using):
        projected = statements.projected(keys.condition)
        return execute(statements.using, statements.delete_unchanged(projected, keys.first, keys.last))


def _add_kept(job: Job, run: CopyRun, statements: Statements, part: CopyRange, kept: Kept) -> None:
    [(left,)] = fetch(statements.using, statements.count_target(part.first_key, part.last_key))
    if not left or statements.copy.keep_keys:
        return
    for keys in chunks(statements, KeyRange(part.first_key, part.last_key)):
        found = job.retrying(partial(compare_all, run, statements, keys), f"run {run.pk}, looking for rows kept")
        found.missing = 0
        found.samples.pop("missing", None)
        kept.differences += found
        left -= found.extra + found.changed
    kept.referred_to += left


def next_to_roll_back(job: Job) -> CopyRun | None:
    """Return the newest run whose rows are in the target."""
    return store.runs_of(job.copy, job.using).exclude(state=State.ROLLED_BACK).first()
