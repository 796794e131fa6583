"""How a run ends: completed, different, rolled back, stopped, failed, or taken over by another process.

Each function records that in the run, returns the lease, and returns the result.
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import DatabaseError, Error

from compat.copying import results
from compat.copying.errors import LeaseLost
from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.rows.local_times import doubtful_local_times
from compat.copying.runner.work import Work
from compat.copying.runs import events, lease, store
from compat.copying.runs.samples import Sample, with_sample
from compat.copying.states import State
from compat.database.stop import Stop

logger = logging.getLogger(__name__)


def completed(work: Work) -> Result:
    """Leave the run completed, with what the verification found: COMPLETED, or DIFFERENT."""
    run, differences, error = work.run, work.differences, _completion_error(work)
    values = {"verified": not differences, "differences": differences.counts(), **_course(work)}
    result = result_of(run, work.job.using, results.DIFFERENT if differences else results.COMPLETED)
    result = replace(
        result, verified=values["verified"], differences=values["differences"], seconds=values["seconds"],
        error=str(error) if error else None,
    )  # fmt: skip
    level = logging.WARNING if error else logging.INFO
    _release(work, State.COMPLETED, _completion_event(result, error), level, error=error, **values)
    return replace(result, local_times=doubtful_local_times(work.job, run))


def rolled_back(work: Work) -> Result:
    """Leave the run rolled back, with the rows that were kept."""
    kept, seconds = work.kept.message(), work.seconds
    event = Message("rolled_back", rows=work.deleted, seconds=seconds, kept=kept)
    error = Message("rows_kept", kept=kept) if work.kept else None
    differences = work.kept.differences.counts()
    _release(work, State.ROLLED_BACK, event, error=error, differences=differences, verified=None)
    result = result_of(work.run, work.job.using, results.ROLLED_BACK)
    return replace(result, seconds=seconds, copied=work.deleted)


def stopped(work: Work, reason: Message) -> Result:
    """Leave the run at a batch border, to be resumed; it is paused when a person asked for the stop."""
    event = Message("stopped", reason=reason)
    if not _leave_unfinished(work, State.STOPPED, event, logging.WARNING, reason):
        return Result(results.FAILED, run=work.run.pk, error=str(reason))
    result = result_of(work.run, work.job.using, results.STOPPED)
    if work.run.state == State.ROLLING_BACK:
        return replace(result, seconds=0.0, batches=0, error=str(Message("rollback_incomplete", reason=reason)))
    return result


def failed(work: Work, error: Message) -> Result:
    """Leave the run with its error, to be resumed."""
    event = Message("failed", error=error)
    if not _leave_unfinished(work, State.FAILED, event, logging.ERROR, error):
        return Result(results.FAILED, run=work.run.pk, error=str(error))
    return replace(result_of(work.run, work.job.using, results.FAILED), error=str(error))


def lease_lost(work: Work, error: LeaseLost) -> Result:
    """Leave the run to the process that took it over."""
    logger.error("run %d: %s", work.run.pk, error, extra={"run": work.run.pk})
    return Result(results.FAILED, run=work.run.pk, error=str(error))


def result_of(run: CopyRun, using: str, status: str) -> Result:
    """Return the counts of all that a run did so far."""
    done = store.totals(run, using)
    result = Result(
        status, run=run.pk, source_rows=done.copied + done.rejected, copied=done.copied, rejected=done.rejected,
        batches=done.batches, seconds=run.seconds, verified=run.verified, error=run.error_text or None,
    )  # fmt: skip
    if run.differences:
        result.differences = {kind: run.differences[kind] for kind in result.differences}
    return result


def _completion_error(work: Work) -> Message | None:
    """Say what is wrong with a completed run, if anything."""
    errors = []
    if work.differences:
        errors.append(Message("differ", differences=work.differences.message()))
    if work.run.deferred_indexes:
        names = ", ".join(structure["name"] for structure in work.run.deferred_indexes)
        errors.append(Message("violated", names=names))
    if len(errors) > 1:
        return Message("two_sentences", first=errors[0], second=errors[1])
    return errors[0] if errors else None


def _completion_event(result: Result, error: Message | None) -> Message:
    outcome = Message(
        result.status, copied=result.copied, rejected=result.rejected, batches=result.batches,
        seconds=result.seconds, rate=result.rows_per_second,
    )  # fmt: skip
    return Message("with_error", outcome=outcome, error=error) if error else outcome


def _leave_unfinished(work: Work, state: State, event: Message, level: int, error: Message) -> bool:
    """Record why the work ended early; return False when that is not possible, for example without a connection.

    A run that is being rolled back keeps its state.
    """
    run, using = work.run, work.job.using
    try:
        if run.state == State.RUNNING:
            _release(work, state, event, level, error=error, **_course(work))
        else:
            lease.release_unfinished(run, using, error, level)
    except (DatabaseError, Error, LeaseLost) as problem:
        events.log(run, level, event)
        logger.error("run %d: this could not be recorded: %s", run.pk, problem, extra={"run": run.pk})
        return False
    return True


def _release(work: Work, state: State, event: Message, level: int = logging.INFO, **values: Any) -> None:
    """Return the lease; a requested stop does not keep this from being retried."""
    job = replace(work.job, stop=Stop())
    job.retrying(
        partial(lease.release, work.run, job.using, state, event, level, **values),
        f"run {work.run.pk}, recording that it is {state}",
    )


def _course(work: Work) -> dict[str, Any]:
    """Return the seconds of work on the run, and its samples with a last one."""
    done, seconds = store.totals(work.run, work.job.using), work.run.seconds + work.seconds
    sample = Sample(seconds, done.copied + done.rejected, done.batches)
    return {"seconds": seconds, "samples": with_sample(work.run.samples, sample)}
