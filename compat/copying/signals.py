"""What a project can react to: `@receiver(run_finished, sender=PERFORMANCE)`.

The sender is the declaration of the copy. Receivers get `run` (its id), `using` (the target's alias) and
`result` (a `compat.copying.results.Result`). They run in the process that copied, after the run has ended;
one that raises is logged and harms nothing.

run_finished   a run was completed, proven or with differences, or rolled back: see `result.status`
run_failed     a run gave up; it can be resumed
rows_rejected  a run, ended or stopped, put `count` more rows to the rejects
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
    """Tell the receivers how the work on a run ended that began at `since`."""
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
