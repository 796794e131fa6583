"""Try the rejected rows again, after somebody mended them or the target."""

import logging
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun, RejectedRow
from compat.copying.rows.batches import Written, begin_batch, checkpoint, write
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT
from compat.copying.rows.selection import Keys
from compat.copying.rows.statements import Statements
from compat.copying.runs import store

logger = logging.getLogger(__name__)


def waiting(job: Job, run: CopyRun) -> QuerySet[RejectedRow]:
    """Return the run's open rejects: all, or those that the job names."""
    rejects = store.open_rejects(run, job.using)
    return rejects.filter(pk__in=job.rejects) if job.rejects else rejects


def retry_run(job: Job, run: CopyRun) -> int:
    """Copy the open rejects of a run that fit by now, with the keys they were meant to have; return their number."""
    statements = job.statements(run)
    copied = 0
    for part in CopyRange.objects.using(job.using).filter(run=run, rejected__gt=0).order_by("first_key"):
        inside = waiting(job, run).filter(source_pk__range=(part.first_key, part.last_key))
        rejects = iter(list(inside.order_by("source_pk").values_list("source_pk", flat=True)))
        while (keys := tuple(islice(rejects, MAX_KEYS_PER_STATEMENT))) and not job.stop.requested():
            written = job.retrying(
                lambda part=part, keys=keys: _retry(run, part, statements, keys),  # type: ignore[misc]
                f"run {run.pk}, rejects from key {keys[0]}",
            )
            copied += written.copied
            job.progress.advance(len(keys))
    logger.info("run %d: %d rejected rows copied", run.pk, copied)
    return copied


def _retry(run: CopyRun, part: CopyRange, statements: Statements, keys: tuple[int, ...]) -> Written:
    """Try these rejects; a row that left the source is settled, too."""
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        waiting = store.open_rejects(run, using).filter(source_pk__in=keys)
        keys = tuple(waiting.values_list("source_pk", flat=True))
        if not keys:
            return Written()
        written = write(run, statements, Keys(keys), len(keys))
        settled = waiting.exclude(source_pk__in=written.rejected).update(resolved_at=Now())
        checkpoint(run, part, using, next_key=part.next_key, copied=written.copied, rejected=-settled, batches=1)
    return written
