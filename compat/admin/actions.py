"""What the pages do to runs: the job of an action, its start in the background, and requests to running jobs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import DatabaseError, Error, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat import background, conf, services
from compat.copies import COPIES, PERFORMANCE
from compat.copying import preflight
from compat.copying.errors import Blocked, CopyError
from compat.copying.job import Job
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.models import Request as RunRequest
from compat.copying.results import BLOCKED, Result
from compat.copying.runs import events, lease, requests, store
from compat.database.messages import Message, register_texts
from compat.database.stop import Stop
from compat.database.text import one_line

logger = logging.getLogger(__name__)
Operation = Callable[[Job], Result]
Check = Callable[[Job], object]

register_texts({"not_done": gettext_lazy("not done: %(error)s")})


def readings_job() -> Job:
    """Return the job that copies the legacy readings into the database of the pages."""
    using = conf.startup_database()
    return _job(PERFORMANCE.name, conf.startup_source() or using)


def run_job(run: CopyRun) -> Job:
    """Return a job for one run only. Raises Blocked when this project does not declare its copy."""
    return replace(_job(run.copy, run.source), run_id=run.pk)


def retry_jobs(rejects: QuerySet[RejectedRow], keys: frozenset[int] = frozenset()) -> list[Job]:
    """Return the jobs that retry rejected rows: one for each copy and source, parents first.

    `keys` are the ids of the rows to retry, by default all. Raises Blocked when this project does not declare a copy.
    """
    pairs = sorted(set(rejects.order_by().values_list("run__copy", "run__source")), key=_parents_first)
    return [replace(_job(copy, source), rejects=keys) for copy, source in pairs]


def _parents_first(pair: tuple[str, str]) -> int:
    return [*COPIES, pair[0]].index(pair[0])


def _job(copy: str, source: str) -> Job:
    if copy not in COPIES:
        text = _("The copy %(copy)s is not declared in compat.copies. Use the command that copied it.")
        raise Blocked(text % {"copy": copy})
    using = conf.startup_database()
    return Job(COPIES[copy], using=using, source=source, **services.online_options(using))


def check_free(job: Job) -> None:
    """Raise Blocked when another process holds the open run of the copy."""
    run = store.open_run(job.copy, job.using)
    if run is not None and not lease.is_free(run, job.using):
        raise Blocked(lease.held_message(run))


def begin(
    request: HttpRequest, operation: Operation, jobs: Callable[[], Sequence[Job]], name: str, text: str, *checks: Check
) -> bool:
    """Start an operation in the background and tell the user, or tell what prevents it; return whether it started."""
    try:
        ready = jobs()
        for job in ready:
            preflight.check(job)
            for check in checks:
                check(job)
    except (CopyError, DatabaseError, Error) as error:
        messages.error(request, one_line(error))
        return False
    background.start(partial(perform, operation, ready), name)
    messages.info(request, text)
    return True


def perform(operation: Operation, jobs: Sequence[Job], stop: Stop) -> None:
    """Do the jobs one after the other; an outcome that is no event of a run becomes one."""
    for job in jobs:
        try:
            result = operation(replace(job, stop=stop))
            error = str(result.error) if result.status == BLOCKED else ""
        except Exception as unexpected:
            logger.exception("background work failed")
            error = one_line(unexpected)
        if error:
            _record_failure(job, error)


def _record_failure(job: Job, error: str) -> None:
    """Add an event to the run of the job, or to the newest run of its copy; without a run, only log."""
    logger.warning("background work on %s was not done: %s", job.copy.name, error)
    try:
        runs = store.runs_of(job.copy, job.using)
        run = (runs.filter(pk=job.run_id) if job.run_id is not None else runs).first()
        if run is not None:
            with transaction.atomic(using=job.using):
                events.record(run, job.using, logging.WARNING, Message("not_done", error=error))
    except (DatabaseError, Error):
        logger.warning("the event could not be stored", exc_info=True)


def ask(request: HttpRequest, run: CopyRun, what: RunRequest) -> bool:
    """Send a request to a run in the name of the user; return whether that was possible."""
    try:
        requests.ask(run, conf.startup_database(), what, request.user.get_username())
    except (CopyError, DatabaseError) as error:
        messages.error(request, one_line(error))
        return False
    return True


def refusal(check: Callable[[], Any]) -> str:
    """Return why `check` refuses, or an empty text."""
    try:
        check()
    except CopyError as error:
        return str(error)
    return ""
