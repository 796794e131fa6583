"""The phases of a run: their order, and what each of them does.

The phases PREFLIGHT and RESERVE come before these, in `operations`: they check whether the copy is possible, and find
or create the run with its block of target keys.
"""

import logging
import time
from collections.abc import Callable

from django.db import connections
from django.db.models import Model, QuerySet

from compat.copying.dialects import dialect_for
from compat.copying.job import NullProgress
from compat.copying.rows.orphans import reject_orphans
from compat.copying.rows.retry_rejected import retry_run, waiting
from compat.copying.rows.rollback import roll_back_run
from compat.copying.runner import deferred_indexes, verification
from compat.copying.runner.ranges import copy_ranges
from compat.copying.runner.work import Work
from compat.copying.runs import store
from compat.copying.states import Phase

logger = logging.getLogger(__name__)


def _retry_rejected(work: Work) -> None:
    job, run = work.job, work.run
    job.progress.begin(str(Phase.RETRY_REJECTED.label), waiting(job, run).count())
    retry_run(job, run)
    job.progress.end()


def _defer_indexes(work: Work) -> None:
    deferred_indexes.prepare(work.job, work.run)


def _copy(work: Work) -> None:
    work.job.progress.begin(str(Phase.COPY.label), _rows_left(work))
    copy_ranges(work.job, work.run)
    work.job.progress.end()


def _wait_for_writers(work: Work) -> None:
    verification.wait_for_writers(work.job, work.run)


def _analyze(work: Work) -> None:
    def refresh() -> None:
        connection = connections[work.job.using]
        with connection.cursor() as cursor:
            dialect_for(connection).session.refresh_statistics(cursor, work.job.copy.target._meta.db_table)

    work.job.retrying(refresh, f"run {work.run.pk}, refreshing statistics")


def _restore_indexes(work: Work) -> None:
    """Build the deferred indexes, unless that can go on beside the verification.

    The phase VERIFY is stored before such a build starts, because on SQLite the build blocks all other writers.
    """
    if work.job.is_cross_database:
        deferred_indexes.restore(work.job, work.run)


def _verify(work: Work) -> None:
    with deferred_indexes.restored_beside(work.job, work.run):
        _compare(work, Phase.VERIFY)


def _sweep(work: Work) -> None:
    """Reject copied rows that lost their parent, copy rows that were committed late, and verify again."""
    job, run = work.job, work.run
    if run.deferred_indexes:
        reject_orphans(job, run)
        deferred_indexes.restore(job, run)
    if work.differences.missing:
        _compare(work, Phase.SWEEP)
    job.check_stop()
    work.differences = verification.without_older_rows(job, run, work.differences)


def _roll_back(work: Work) -> None:
    job, run = work.job, work.run
    deferred_indexes.restore(job, run)
    before = store.totals(run, job.using).copied
    job.progress.begin(str(Phase.ROLL_BACK.label), before)
    kept = roll_back_run(job, run)
    if kept is None:
        job.check_stop()
    else:
        work.kept, work.deleted = kept, before - store.totals(run, job.using).copied


def _compare(work: Work, phase: Phase) -> None:
    job, run, began = work.job, work.run, time.monotonic()
    job.progress.begin(str(phase.label), store.totals(run, job.using).copied)
    work.differences = verification.verify_run(job, run, sweep=phase == Phase.SWEEP)
    job.progress.end()
    job.check_stop()
    found = work.differences.message().in_english()
    logger.info("run %d: verified in %.2f s, differences: %s", run.pk, time.monotonic() - began, found)


def _rows_left(work: Work) -> int | None:
    """Count the rows still to copy, which reads the keys of all of them; None when the progress is not shown."""
    if isinstance(work.job.progress, NullProgress):
        return None
    job, keys = work.job, work.job.copy.keys(work.run.offset)
    left = [rest for part in store.ranges_of(work.run, job.using) if (rest := keys.remaining(part))]
    rows: QuerySet[Model] = QuerySet(job.copy.source, using=job.source)
    return keys.type.hull(left).filter(rows).count() if left else 0


Steps = tuple[tuple[Phase, Callable[[Work], None]], ...]

COPY: Steps = (
    (Phase.DEFER_INDEXES, _defer_indexes),
    (Phase.COPY, _copy),
    (Phase.WAIT_FOR_WRITERS, _wait_for_writers),
    (Phase.ANALYZE, _analyze),
    (Phase.RESTORE_INDEXES, _restore_indexes),
    (Phase.VERIFY, _verify),
    (Phase.SWEEP, _sweep),
)
RETRY_REJECTED: Steps = ((Phase.RETRY_REJECTED, _retry_rejected), *COPY)
ROLL_BACK: Steps = ((Phase.ROLL_BACK, _roll_back),)
