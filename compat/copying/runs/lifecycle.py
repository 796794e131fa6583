"""Owning a run while it is worked on, and the ways in which that ends: completed, stopped, failed."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, Error
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from compat.copying import results
from compat.copying.errors import CopyError, LeaseLost, WritersRemain
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.rows.local_times import doubtful_local_times
from compat.copying.rows.verification import Differences
from compat.copying.runs import lease, store
from compat.copying.runs.events import in_english
from compat.copying.runs.heartbeat import heartbeat
from compat.copying.runs.samples import Sample, added
from compat.copying.signals import announce
from compat.copying.states import State
from compat.database.errors import StopRequested
from compat.database.text import one_line

logger = logging.getLogger(__name__)
OUTCOMES = {results.COMPLETED: _("completed"), results.DIFFERENT: _("different")}


def owned(job: Job, run: CopyRun, work: Callable[[Job, CopyRun, float], Result]) -> Result:
    """Do `work` on a run that this process owns; record how it ended, whatever happens, and tell who listens."""
    since = timezone.now()
    with heartbeat(run, job.using, job.stop):
        result = _ended(job, run, work)
    announce(job, run, result, since)
    return result


def _ended(job: Job, run: CopyRun, work: Callable[[Job, CopyRun, float], Result]) -> Result:
    began = time.monotonic()
    try:
        return work(job, run, began)
    except (WritersRemain, StopRequested) as error:
        return stopped(job, run, str(error), began)
    except LeaseLost as error:
        logger.error("run %d: %s", run.pk, error)
        return Result(results.FAILED, run=run.pk, error=str(error))
    except (DatabaseError, Error, CopyError) as error:
        return failed(job, run, one_line(error), began)
    finally:
        job.progress.end()


def completed(job: Job, run: CopyRun, differences: Differences, began: float) -> Result:
    """Leave the run completed, with what the comparison found."""
    verified = not differences
    error = _complaints(run, differences)
    course = _course(job, run, began)
    result = answer(job, run, results.COMPLETED if verified else results.DIFFERENT)
    result.verified, result.differences, result.error = verified, differences.counts(), str(error) or None
    result.seconds = course["seconds"]
    release(
        job, run, State.COMPLETED, _headline(result, error), logging.WARNING if error else logging.INFO,
        verified=verified, differences=differences.counts(), error=str(error), **course,
    )  # fmt: skip
    result.local_times = doubtful_local_times(job, run)
    return result


def _complaints(run: CopyRun, differences: Differences) -> str | Promise:
    """Say what keeps a completed run from being well, or nothing."""
    complaints = []
    if differences:
        complaints.append(format_lazy(_("Source and target differ: {differences}."), differences=differences))
    if run.deferred_indexes:
        names = ", ".join(structure["name"] for structure in run.deferred_indexes)
        text = _("Rows of others break {names}: mend them, verify_structure names them.")
        complaints.append(format_lazy(text, names=names))
    return format_lazy(" ".join(["{}"] * len(complaints)), *complaints)


def _headline(result: Result, error: str | Promise) -> str | Promise:
    text = _(
        "{outcome}, {copied} rows copied, {rejected} rejected, {batches} batches, {seconds:.2f} s, {rate:.0f} rows/s"
    )
    figures = format_lazy(
        text, outcome=OUTCOMES[result.status], copied=result.copied, rejected=result.rejected, batches=result.batches,
        seconds=result.seconds, rate=result.rows_per_second,
    )  # fmt: skip
    return format_lazy(_("{figures}. {error}"), figures=figures, error=error) if error else figures


def stopped(job: Job, run: CopyRun, reason: str | Promise, began: float) -> Result:
    """Leave the run at a batch border, to be resumed, or paused if a person asked for that."""
    text = format_lazy(_("stopped, {reason}; run again to resume"), reason=reason)
    if run.state == State.RUNNING:
        release(job, run, State.STOPPED, text, logging.WARNING, error=str(reason), **_course(job, run, began))
        return answer(job, run, results.STOPPED)
    lease.leave(run, job.using, text, logging.WARNING)
    left = format_lazy(_("Half rolled back, {reason}. Finish that first: --rollback."), reason=reason)
    return replace(answer(job, run, results.STOPPED), seconds=0.0, batches=0, error=str(left))


def failed(job: Job, run: CopyRun, message: str, began: float) -> Result:
    """Leave the run with its error, to be resumed; not even the database need answer."""
    text = format_lazy(_("failed, nothing is lost, run again to resume: {message}"), message=message)
    try:
        if run.state == State.RUNNING:
            course = _course(job, run, began)
            lease.release(run, job.using, State.FAILED, text, logging.ERROR, error=message, **course)
        else:
            lease.leave(run, job.using, text, logging.ERROR)
    except (DatabaseError, Error, LeaseLost) as error:
        logger.error("run %d: %s", run.pk, in_english(text), extra={"run": run.pk})
        logger.error("run %d: the failure could not be recorded: %s", run.pk, one_line(error), extra={"run": run.pk})
        return Result(results.FAILED, run=run.pk, error=message)
    return replace(answer(job, run, results.FAILED), error=message)


def release(
    job: Job, run: CopyRun, state: State, text: str | Promise, level: int = logging.INFO, **outcome: Any
) -> None:
    """Give the lease back and write down how the run ended."""
    job.retrying(
        lambda: lease.release(run, job.using, state, text, level, **outcome),
        f"run {run.pk}, writing that it is {state}",
    )


def _course(job: Job, run: CopyRun, began: float) -> dict[str, Any]:
    """Return the run's seconds of work and its samples with a last one."""
    done, seconds = store.totals(run, job.using), run.seconds + time.monotonic() - began
    return {
        "seconds": seconds,
        "samples": added(run.samples, Sample(seconds, done.copied + done.rejected, done.batches)),
    }


def answer(job: Job, run: CopyRun, status: str) -> Result:
    """Answer for all that the run did so far."""
    done = store.totals(run, job.using)
    result = Result(
        status, run=run.pk, source_rows=done.copied + done.rejected, copied=done.copied, rejected=done.rejected,
        batches=done.batches, seconds=run.seconds, verified=run.verified, error=run.error or None,
    )  # fmt: skip
    if run.differences:
        result.differences = {kind: run.differences[kind] for kind in result.differences}
    return result
