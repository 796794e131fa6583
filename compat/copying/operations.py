"""The operations on a copy. Each takes a Job and returns a Result; none raises for what a user can cause."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.db import DatabaseError, Error, connections
from django.db.models import F, Max, Min
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying import preflight, results
from compat.copying.dialects import dialect_for
from compat.copying.errors import CopyError
from compat.copying.job import Job, NullProgress
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.rows.orphans import reject_orphans
from compat.copying.rows.retry_rejected import retry_run, waiting
from compat.copying.rows.rollback import next_to_roll_back, roll_back_run
from compat.copying.rows.verification import Differences
from compat.copying.runner import deferred_indexes, estimate
from compat.copying.runner.final_verification import verify_rows, wait_for_writers
from compat.copying.runner.ranges import copy_ranges
from compat.copying.runs import events, lease, lifecycle, store
from compat.copying.runs.heartbeat import POLL_SECONDS
from compat.copying.states import RESUMABLE, State
from compat.database.errors import Failure
from compat.database.retry import failure_of
from compat.database.text import one_line

logger = logging.getLogger(__name__)
Operation = Callable[[Job], Result]
EQUAL = gettext_lazy("verified, {rows} rows: source and target are equal")
DIFFER = gettext_lazy("verified, {rows} rows: source and target differ: {differences}")


def _after(check: Callable[[Job], None]) -> Callable[[Operation], Operation]:
    """Check the ground first, and turn what goes wrong before a run is owned into a blocked result."""

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def guarded(job: Job) -> Result:
            try:
                check(job)
                return operation(job)
            except CopyError as error:
                message = str(error)
            except (DatabaseError, Error) as error:
                message = _refusal(job, error)
            logger.debug("%s is blocked: %s", job.copy.name, message)
            return Result(results.BLOCKED, error=message)

        return guarded

    return decorate


def _refusal(job: Job, error: DatabaseError | Error) -> str:
    failure = failure_of(error, job.using)
    text = _("The database refused: %(error)s")
    if failure is Failure.READ_ONLY:
        text = _("The database %(alias)r may only be read here: take a role, and a server or file, that may write.")
    elif failure is Failure.PERMISSION:
        text = _(
            "The role lacks a right in the database %(alias)r (%(error)s). A copy, and its dry run, take SELECT, "
            "INSERT, UPDATE and DELETE on the target and on the tables of runs, and USAGE on their sequences: grant "
            "them, or take another role."
        )
    return text % {"alias": job.using, "error": one_line(error)}


@_after(preflight.check)
def copy_rows(job: Job) -> Result:
    """Copy what waits in the source, verify_rows it, and answer for the whole run.

    From another database the copy's parents come first, and only a complete parent lets it go on.
    """
    for parent in job.copy.parents if job.is_cross_database else ():
        result = copy_rows(replace(job, copy=parent))
        if result.status not in {results.COMPLETED, results.NOTHING_TO_DO}:
            return result
    run = job.retrying(lambda: store.begin(job.copy, job.using, job.source), f"{job.copy.name}, beginning")
    if run is None:
        return _nothing_to_do(job)
    return lifecycle.owned(job, run, _copy_and_verify)


def _nothing_to_do(job: Job) -> Result:
    """Nothing waits; but a run that was found different is compared again, and what is missing brought over."""
    runs = store.kept_runs(job.copy, job.using, job.source)
    if different := runs.filter(verified=False).last():
        return lifecycle.owned(job, lease.acquire(different, job.using, State.RUNNING), _copy_and_verify)
    run = runs.first()
    rows = job.copy.source._base_manager.using(job.source).count()
    logger.info("%s: nothing to do, %d rows in the source", job.copy.name, rows)
    return Result(results.NOTHING_TO_DO, run=run.pk if run else None, source_rows=rows)


def _copy_and_verify(job: Job, run: CopyRun, began: float) -> Result:
    deferred_indexes.prepare(job, run)
    job.progress.begin(_("copying"), _rows_left(job, run))
    copy_ranges(job, run)
    job.progress.end()
    if not job.stop.requested():
        wait_for_writers(job, run)
        job.retrying(lambda: _refresh_statistics(job), f"run {run.pk}, refreshing statistics")
        with deferred_indexes.restored_beside(job, run):
            differences = _compare(job, run, sweep=False)
        if run.deferred_indexes:
            reject_orphans(job, run)
            deferred_indexes.restore(job, run)
        if differences.missing and not job.stop.requested():
            differences = _compare(job, run, sweep=True)
        differences = _without_older_rows(job, run, differences)
    if job.stop.requested():
        return lifecycle.stopped(job, run, job.stop.reason, began)
    return lifecycle.completed(job, run, differences, began)


def _without_older_rows(job: Job, run: CopyRun, differences: Differences) -> Differences:
    """Of a copy that keeps keys, warn of rows that were in the target before with other values; they stay."""
    if not job.copy.keep_keys or not differences.changed:
        return differences
    older = Differences(changed=differences.changed, samples=differences.samples)
    logger.warning(
        "run %d: rows of %s that were in the target before differ from the source and were left as they are: %s",
        run.pk, job.copy.target._meta.db_table, events.in_english(older),
    )  # fmt: skip
    return replace(differences, changed=0)


def _rows_left(job: Job, run: CopyRun) -> int | None:
    """Count the rows still to copy; only for somebody who looks on, for it reads the whole key."""
    if isinstance(job.progress, NullProgress):
        return None
    parts = run.ranges.using(job.using).filter(next_key__lte=F("last_key"))
    bounds = parts.aggregate(first=Min("next_key"), last=Max("last_key"))
    if bounds["first"] is None:
        return 0
    return job.copy.source._base_manager.using(job.source).filter(pk__range=(bounds["first"], bounds["last"])).count()


def _refresh_statistics(job: Job) -> None:
    connection = connections[job.using]
    with connection.cursor() as cursor:
        dialect_for(connection).refresh_statistics(cursor, job.copy.target._meta.db_table)


def _compare(job: Job, run: CopyRun, *, sweep: bool) -> Differences:
    began = time.monotonic()
    job.progress.begin(_("comparing"), store.totals(run, job.using).copied)
    differences = verify_rows(job, run, sweep=sweep)
    job.progress.end()
    if not job.stop.requested():
        found = events.in_english(differences)
        logger.info("run %d: compared in %.2f s, differences: %s", run.pk, time.monotonic() - began, found)
    return differences


@_after(preflight.check)
def verify(job: Job) -> Result:
    """Compare the source with what all runs made of it; rows that no run has looked at are missing."""
    began = time.monotonic()
    differences, copied, rejected = Differences(), 0, 0
    runs = list(store.kept_runs(job.copy, job.using, job.source))
    for run in runs:
        done = store.totals(run, job.using)
        copied, rejected = copied + done.copied, rejected + done.rejected
        job.progress.begin(_("comparing run %(run)d") % {"run": run.pk}, done.copied)
        of_run = verify_rows(job, run, sweep=False)
        job.progress.end()
        if run.state == State.COMPLETED and not job.stop.requested():
            store.note_verification(run, job.using, of_run)
        differences += of_run
    if job.stop.requested():
        return Result(results.STOPPED, error=str(job.stop.reason))
    differences += store.unseen_rows(job.copy, job.using, job.source)
    if runs:
        level, text = (logging.WARNING, DIFFER) if differences else (logging.INFO, EQUAL)
        events.record(runs[0], job.using, level, format_lazy(text, rows=copied, differences=differences))
    return Result(
        results.DIFFERENT if differences else results.VERIFIED,
        run=runs[0].pk if runs else None,
        source_rows=job.copy.source._base_manager.using(job.source).count(),
        copied=copied,
        rejected=rejected,
        seconds=time.monotonic() - began,
        verified=not differences,
        differences=differences.counts(),
        error=_("Source and target differ: %(differences)s.") % {"differences": differences} if differences else None,
    )


@_after(preflight.check_target)
def roll_back(job: Job) -> Result:
    """Take the rows of every run back, the newest run first; then the parents that came from another database."""
    result = _roll_back_runs(job)
    if result.status in {results.ROLLED_BACK, results.NOTHING_TO_DO}:
        for parent in reversed(job.copy.parents):
            of_parent = _roll_back_runs(replace(job, copy=parent))
            if of_parent.status not in {results.ROLLED_BACK, results.NOTHING_TO_DO}:
                return of_parent
    return result


def _roll_back_runs(job: Job) -> Result:
    total: Result | None = None
    while run := next_to_roll_back(job):
        result = _roll_back(replace(job, source=run.source), run)
        if result.status != results.ROLLED_BACK:
            return result
        total = result if total is None else total.plus(result)
    return total or Result(results.NOTHING_TO_DO)


@_after(preflight.check_target)
def cancel(job: Job) -> Result:
    """Take the rows of the newest run back, once its owner has given it up; see `requests.ask`."""
    run = next_to_roll_back(job)
    if run is None:
        return Result(results.NOTHING_TO_DO)
    while not lease.is_free(run, job.using):
        if job.stop.wait(POLL_SECONDS):
            return Result(results.STOPPED, run=run.pk, error=str(job.stop.reason))
    run.refresh_from_db(using=job.using)
    return _roll_back(replace(job, source=run.source), run)


def _roll_back(job: Job, run: CopyRun) -> Result:
    preflight.check(job)
    return lifecycle.owned(job, lease.acquire(run, job.using, State.ROLLING_BACK), _roll_back_run)


def _roll_back_run(job: Job, run: CopyRun, began: float) -> Result:
    before = store.totals(run, job.using).copied
    job.progress.begin(_("taking back run %(run)d") % {"run": run.pk}, before)
    deferred_indexes.restore(job, run)
    kept = roll_back_run(job, run)
    if kept is None:
        return lifecycle.stopped(job, run, job.stop.reason, began)
    error = _("Rows that changed since the copy, or are referred to, were kept: %(kept)s.") % {"kept": kept}
    seconds, deleted = time.monotonic() - began, before - store.totals(run, job.using).copied
    text = gettext_lazy("rolled back, {rows} rows deleted in {seconds:.2f} s, kept: {kept}")
    lifecycle.release(
        job, run, State.ROLLED_BACK, format_lazy(text, rows=deleted, seconds=seconds, kept=kept),
        differences=kept.differences.counts(), error=error if kept else "", verified=None,
    )  # fmt: skip
    return replace(lifecycle.answer(job, run, results.ROLLED_BACK), seconds=seconds, copied=deleted)


@_after(preflight.check)
def retry_rejected(job: Job) -> Result:
    """Try the rejected rows of all runs again, or those that the job names."""
    outcome = Result(results.NOTHING_TO_DO)
    states = (*RESUMABLE, State.COMPLETED)
    for run in store.kept_runs(job.copy, job.using, job.source).filter(state__in=states):
        if waiting(job, run).exists():
            outcome = lifecycle.owned(job, lease.acquire(run, job.using, State.RUNNING), _retry_run)
            if outcome.status not in {results.COMPLETED, results.DIFFERENT}:
                return outcome
    return outcome


def _retry_run(job: Job, run: CopyRun, began: float) -> Result:
    job.progress.begin(_("retrying rejects of run %(run)d") % {"run": run.pk}, waiting(job, run).count())
    retry_run(job, run)
    job.progress.end()
    return _copy_and_verify(job, run, began)


@_after(preflight.check)
def dry_run(job: Job) -> Result:
    """Say what would be copied and rejected and how long it would take; change nothing."""
    if run := store.open_run(job.copy, job.using):
        store.check_resumable(run, job.source)
    found = estimate.estimate(job)
    return Result(
        results.DRY_RUN, source_rows=found.rows, copied=found.rows - found.rejected, rejected=found.rejected,
        seconds=found.seconds,
    )  # fmt: skip


@_after(preflight.check_target)
def status(job: Job) -> Result:
    """Answer for the newest run; the command lists them all."""
    run = store.runs_of(job.copy, job.using).first()
    return lifecycle.answer(job, run, run.state) if run else Result(results.NOTHING_TO_DO)
