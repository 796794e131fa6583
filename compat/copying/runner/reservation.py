"""Find or create the run that an operation works on, and take its lease."""

from django.utils.translation import gettext as _

from compat.copying.errors import Blocked
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.copying.rows.rollback import next_to_roll_back
from compat.copying.runs import lease, store
from compat.copying.states import RESUMABLE, State


def reserve(job: Job) -> CopyRun | None:
    """Return the run to copy, with its lease; None when there is nothing to copy.

    It is the run that the job names, the open run, a new run with its block of target keys, or a completed run whose
    verification found differences. Raises Blocked.
    """
    if job.run_id is not None:
        return lease.acquire(run_to_resume(job), job.using, State.RUNNING)
    if run := store.begin(job.copy, job.using, job.source):
        return run
    different = store.kept_runs(job.copy, job.using, job.source).filter(verified=False).last()
    return lease.acquire(different, job.using, State.RUNNING) if different else None


def run_to_resume(job: Job) -> CopyRun:
    """Return the run that the job names. Raises Blocked when it cannot be resumed."""
    run = _named_run(job)
    if run.state not in RESUMABLE:
        text = _("Run %(run)d is %(state)s, so there is nothing to resume.")
        raise Blocked(text % {"run": run.pk, "state": run.get_state_display()})
    store.check_resumable(run, job.source)
    return run


def run_to_roll_back(job: Job) -> CopyRun:
    """Return the run that the job names. Raises Blocked when its rows are gone or a later run must go first.

    The next run of a copy starts after the keys of all kept runs, so a gap between two runs would never be filled.
    """
    run = _named_run(job)
    if run.state == State.ROLLED_BACK:
        raise Blocked(_("Run %(run)d is already rolled back.") % {"run": run.pk})
    if (newest := next_to_roll_back(job)) is not None and newest.pk != run.pk:
        text = _("Run %(newest)d copied rows after run %(run)d. Roll back run %(newest)d first.")
        raise Blocked(text % {"newest": newest.pk, "run": run.pk})
    return run


def _named_run(job: Job) -> CopyRun:
    run = store.runs_of(job.copy, job.using).filter(pk=job.run_id or 0).first()
    if run is None:
        raise Blocked(_("There is no run %(run)s of %(copy)s.") % {"run": job.run_id, "copy": job.copy.name})
    return run
