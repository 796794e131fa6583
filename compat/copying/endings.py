"""Owning a run while it is worked on, and the ways in which that ends: completed, stopped, failed."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, Error

from compat.copying import lease, ledger, results
from compat.copying.clock import doubtful_local_times
from compat.copying.errors import CopyError, LeaseLost, StopRequested, WritersRemain
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.retrying import one_line
from compat.copying.states import State
from compat.copying.verification import Differences

logger = logging.getLogger(__name__)


def owned(job: Job, run: CopyRun, work: Callable[[Job, CopyRun, float], Result]) -> Result:
    """Do `work` on a run that this process owns; record how it ended, whatever happens."""
    began = time.monotonic()
    with lease.heartbeat(run, job.using, job.stop):
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
    error = "" if verified else f"Source and target differ: {differences}."
    if run.set_aside:
        names = ", ".join(structure["name"] for structure in run.set_aside)
        error = f"{error} Rows of others break {names}: mend them, verify_structure names them.".strip()
    release(
        job, run, State.COMPLETED, verified=verified, differences=differences.counts(), error=error,
        seconds=_seconds(run, began),
    )  # fmt: skip
    result = answer(job, run, results.COMPLETED if verified else results.DIFFERENT)
    result.local_times = doubtful_local_times(job, run)
    logger.info(
        "run %d: %s, %d rows copied, %d rejected, %d batches, %.2f s, %.0f rows/s",
        run.pk, result.status, result.copied, result.rejected, result.batches, result.seconds, result.rows_per_second,
    )  # fmt: skip
    return result


def stopped(job: Job, run: CopyRun, reason: str, began: float) -> Result:
    """Leave the run at a batch border, to be resumed."""
    if run.state == State.RUNNING:
        release(job, run, State.STOPPED, error=reason, seconds=_seconds(run, began))
    else:
        lease.pause(run, job.using, reason)
    logger.warning("run %d: stopped, %s; run again to resume", run.pk, reason)
    return answer(job, run, results.STOPPED)


def failed(job: Job, run: CopyRun, message: str, began: float) -> Result:
    """Leave the run with its error, to be resumed; not even the database need answer."""
    logger.error("run %d: failed, nothing is lost, run again to resume: %s", run.pk, message)
    try:
        if run.state == State.RUNNING:
            lease.release(run, job.using, State.FAILED, error=message, seconds=_seconds(run, began))
        else:
            lease.pause(run, job.using, message)
    except (DatabaseError, Error, LeaseLost) as error:
        logger.error("run %d: the failure could not be recorded: %s", run.pk, one_line(error))
        return Result(results.FAILED, run=run.pk, error=message)
    return replace(answer(job, run, results.FAILED), error=message)


def release(job: Job, run: CopyRun, state: State, **outcome: Any) -> None:
    """Give the lease back and write down how the run ended."""
    job.retrying(lambda: lease.release(run, job.using, state, **outcome), f"run {run.pk}, writing that it is {state}")


def _seconds(run: CopyRun, began: float) -> float:
    return run.seconds + time.monotonic() - began


def answer(job: Job, run: CopyRun, status: str) -> Result:
    """Answer for all that the run did so far."""
    done = ledger.totals(run, job.using)
    result = Result(
        status, run=run.pk, source_rows=done.copied + done.rejected, copied=done.copied, rejected=done.rejected,
        batches=done.batches, seconds=run.seconds, verified=run.verified, error=run.error or None,
    )  # fmt: skip
    if run.differences:
        result.differences = {kind: run.differences[kind] for kind in result.differences}
    return result
