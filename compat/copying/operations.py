"""The operations on a copy. Each takes a job and returns a result; errors that a user can cause are results."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.db import DatabaseError, Error
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from compat.copying import preflight, results
from compat.copying.errors import CopyError
from compat.copying.job import Job
from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.rows.retry_rejected import waiting
from compat.copying.rows.rollback import next_to_roll_back
from compat.copying.rows.verification import Differences
from compat.copying.runner import verification
from compat.copying.runner.estimate import estimate
from compat.copying.runner.outcome import result_of
from compat.copying.runner.reservation import reserve, run_to_roll_back
from compat.copying.runner.runner import COPY, RETRY_REJECTED, ROLL_BACK, Runner
from compat.copying.runs import events, lease, store
from compat.copying.runs.heartbeat import POLL_SECONDS
from compat.copying.states import RESUMABLE, State
from compat.database.errors import Failure
from compat.database.retry import failure_of
from compat.database.text import one_line

logger = logging.getLogger(__name__)
Operation = Callable[[Job], Result]


def _checked(check: Callable[[Job], None]) -> Callable[[Operation], Operation]:
    """Run the preflight check first; what keeps the operation from starting becomes a BLOCKED result."""

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def checked(job: Job) -> Result:
            try:
                check(job)
                return operation(job)
            except CopyError as error:
                message = str(error)
            except (DatabaseError, Error) as error:
                message = _refusal(job, error)
            logger.debug("%s is blocked: %s", job.copy.name, message)
            return Result(results.BLOCKED, error=message)

        return checked

    return decorate


def _refusal(job: Job, error: DatabaseError | Error) -> str:
    failure = failure_of(error, job.using)
    text = _("The database refused: %(error)s")
    if failure is Failure.READ_ONLY:
        text = _("The database %(alias)r is read-only here. Use a role, and a server or file, that can be written.")
    elif failure is Failure.PERMISSION:
        text = _(
            "The role lacks a privilege in the database %(alias)r (%(error)s). A copy and its dry run need SELECT, "
            "INSERT, UPDATE and DELETE on the target and on the tables of runs, and USAGE on their sequences. "
            "Grant them, or use another role."
        )
    return text % {"alias": job.using, "error": one_line(error)}


@_checked(preflight.check)
def copy_rows(job: Job) -> Result:
    """Copy the rows that no run has copied yet, verify them, and answer for the whole run.

    From another database the parents of the copy come first, and the copy starts only when they are complete.
    """
    for parent in job.copy.parents if job.is_cross_database else ():
        result = copy_rows(replace(job, copy=parent, run_id=None))
        if result.status not in {results.COMPLETED, results.NOTHING_TO_DO}:
            return result
    run = job.retrying(lambda: reserve(job), f"{job.copy.name}, reserving keys")
    return Runner(job, run, COPY).run() if run else _nothing_to_do(job)


def _nothing_to_do(job: Job) -> Result:
    run = store.kept_runs(job.copy, job.using, job.source).first()
    rows = QuerySet(job.copy.source, using=job.source).count()
    logger.info("%s: nothing to do, %d rows in the source", job.copy.name, rows)
    return Result(results.NOTHING_TO_DO, run=run.pk if run else None, source_rows=rows)


@_checked(preflight.check)
def verify(job: Job) -> Result:
    """Compare the source with the rows of all kept runs; rows that no run has covered are missing."""
    began = time.monotonic()
    differences, copied, rejected = Differences(), 0, 0
    runs = list(store.kept_runs(job.copy, job.using, job.source))
    for run in runs:
        done = store.totals(run, job.using)
        copied, rejected = copied + done.copied, rejected + done.rejected
        differences += _verify_run(job, run, done.copied)
    if job.stop.requested():
        return Result(results.STOPPED, error=str(job.stop.reason))
    differences += verification.uncovered_rows(job.copy, job.using, job.source)
    if runs:
        _record_verification(runs[0], job.using, copied, differences)
    error = Message("differ", differences=differences.message()) if differences else None
    return Result(
        results.DIFFERENT if differences else results.VERIFIED,
        run=runs[0].pk if runs else None,
        source_rows=QuerySet(job.copy.source, using=job.source).count(),
        copied=copied,
        rejected=rejected,
        seconds=time.monotonic() - began,
        verified=not differences,
        differences=differences.counts(),
        error=str(error) if error else None,
    )


def _verify_run(job: Job, run: CopyRun, rows: int) -> Differences:
    job.progress.begin(_("verifying run %(run)d") % {"run": run.pk}, rows)
    differences = verification.verify_run(job, run, sweep=False)
    job.progress.end()
    if run.state == State.COMPLETED and not job.stop.requested():
        verification.store_verification(run, job.using, differences)
    return differences


def _record_verification(newest: CopyRun, using: str, rows: int, differences: Differences) -> None:
    if differences:
        found = Message("verified_different", rows=rows, differences=differences.message())
        events.record(newest, using, logging.WARNING, found)
    else:
        events.record(newest, using, logging.INFO, Message("verified_equal", rows=rows))


@_checked(preflight.check_target)
def roll_back(job: Job) -> Result:
    """Delete the rows of every run, the newest run first; then the parents that came from another database.

    If the job names a run, only its rows are deleted.
    """
    if job.run_id is not None:
        return _roll_back(job, run_to_roll_back(job))
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
        result = _roll_back(job, run)
        if result.status != results.ROLLED_BACK:
            return result
        total = result if total is None else total.plus(result)
    return total or Result(results.NOTHING_TO_DO)


@_checked(preflight.check_target)
def cancel(job: Job) -> Result:
    """Delete the rows of the run that the job names, or of the newest run, as soon as its lease is free.

    `requests.ask` asks its holder to stop.
    """
    run = next_to_roll_back(job) if job.run_id is None else run_to_roll_back(job)
    if run is None:
        return Result(results.NOTHING_TO_DO)
    while not lease.is_free(run, job.using):
        if job.stop.wait(POLL_SECONDS):
            return Result(results.STOPPED, run=run.pk, error=str(job.stop.reason))
    run.refresh_from_db(using=job.using)
    if job.run_id is not None:
        run = run_to_roll_back(job)  # a later run may have copied rows since
    return _roll_back(job, run)


def _roll_back(job: Job, run: CopyRun) -> Result:
    job = replace(job, source=run.source)
    preflight.check(job)
    return Runner(job, lease.acquire(run, job.using, State.ROLLING_BACK), ROLL_BACK).run()


@_checked(preflight.check)
def retry_rejected(job: Job) -> Result:
    """Retry the rejected rows of all runs, or those that the job names."""
    result = Result(results.NOTHING_TO_DO)
    states = (*RESUMABLE, State.COMPLETED)
    for run in store.kept_runs(job.copy, job.using, job.source).filter(state__in=states):
        if waiting(job, run).exists():
            result = Runner(job, lease.acquire(run, job.using, State.RUNNING), RETRY_REJECTED).run()
            if result.status not in {results.COMPLETED, results.DIFFERENT}:
                return result
    return result


@_checked(preflight.check)
def dry_run(job: Job) -> Result:
    """Return what would be copied and rejected and how long it would take; nothing is changed."""
    if run := store.open_run(job.copy, job.using):
        store.check_resumable(run, job.source)
    found = estimate(job)
    return Result(
        results.DRY_RUN, source_rows=found.rows, copied=found.rows - found.rejected, rejected=found.rejected,
        seconds=found.seconds,
    )  # fmt: skip


@_checked(preflight.check_target)
def status(job: Job) -> Result:
    """Return the counts of the newest run."""
    run = store.runs_of(job.copy, job.using).first()
    return result_of(run, job.using, run.state) if run else Result(results.NOTHING_TO_DO)
