"""Signals about the end of runs: `@receiver(run_finished, sender=PERFORMANCE)`.

The sender is the declaration of the copy. Receivers get `run` (its id), `using` (the alias of the target) and
`result` (a `compat.copying.Result`). They run in the process that copied, after the end of the run is stored. An
exception in a receiver is logged and changes nothing.

run_finished   a run was completed, verified or with differences, or rolled back: see `result.status`
run_failed     a run ended with an error; it can be resumed
rows_rejected  `count` more rows of a run were rejected, whether the run was completed or stopped
"""

from datetime import datetime

from django.db import Error
from django.dispatch import Signal

from compat.copying import results
from compat.copying.job import Job
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.results import Result

run_finished, run_failed, rows_rejected = Signal(), Signal(), Signal()

OUTCOMES = {
    results.COMPLETED: run_finished,
    results.DIFFERENT: run_finished,
    results.ROLLED_BACK: run_finished,
    results.FAILED: run_failed,
}


def announce(job: Job, run: CopyRun, result: Result, since: datetime) -> None:
    """Send the signals for the work on a run that began at `since`."""
    facts = {"sender": job.copy, "run": run.pk, "using": job.using, "result": result}
    if signal := OUTCOMES.get(result.status):
        signal.send_robust(**facts)
    if rows_rejected.has_listeners(job.copy) and (count := _rejected(run, job.using, since)):
        rows_rejected.send_robust(**facts, count=count)


def _rejected(run: CopyRun, using: str, since: datetime) -> int:
    try:
        return RejectedRow.objects.using(using).filter(run=run, created_at__gte=since).count()
    except Error:
        return 0
