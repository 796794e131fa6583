"""Retrying the rejected rows, after they or the target were corrected."""

import logging
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from compat.copying.job import Job
from compat.copying.key_types import Key, KeyList
from compat.copying.models import CopyRange, CopyRun, RejectedRow
from compat.copying.rows.batches import Written, begin_batch, checkpoint, write
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT, keys_of, open_rejects
from compat.copying.rows.statements import Statements
from compat.copying.runs import store

logger = logging.getLogger(__name__)


def waiting(job: Job, run: CopyRun) -> QuerySet[RejectedRow]:
    """Return the open rejects of a run: all, or those that the job names."""
    rejects = store.open_rejects(run, job.using)
    return rejects.filter(pk__in=job.rejects) if job.rejects else rejects


def retry_run(job: Job, run: CopyRun) -> int:
    """Copy the open rejects of a run that fit now, with the keys reserved for them; return their number."""
    statements, copied = job.statements(run), 0
    rejected = keys_of(statements, waiting(job, run))
    for part in CopyRange.objects.using(job.using).filter(run=run, rejected__gt=0).order_by("pk"):
        within = statements.keys.range_of(part)
        rejects = iter([key for key in rejected if statements.keys.type.contains(within, key)])
        while (keys := tuple(islice(rejects, MAX_KEYS_PER_STATEMENT))) and not job.stop.requested():
            written = job.retrying(
                lambda part=part, keys=keys: _retry(run, part, statements, keys),  # type: ignore[misc]
                f"run {run.pk}, rejects from key {keys[0]}",
            )
            copied += written.copied
            job.progress.advance(len(keys))
    logger.info("run %d: %d rejected rows copied", run.pk, copied)
    return copied


def _retry(run: CopyRun, part: CopyRange, statements: Statements, keys: tuple[Key, ...]) -> Written:
    """Retry these rejects; one whose row was deleted in the source is resolved, too."""
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        keys = tuple(keys_of(statements, open_rejects(run, statements, keys)))
        if not keys:
            return Written()
        written = write(run, statements, KeyList(keys), len(keys))
        resolved = open_rejects(run, statements, set(keys) - set(written.rejected)).update(resolved_at=Now())
        checkpoint(run, part, using, {"copied": written.copied, "rejected": -resolved, "batches": 1})
    return written
