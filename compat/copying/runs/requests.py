"""Requests to runs through the database: their lease holder may be another process on another machine.

The holder looks for requests every second and obeys at the next batch border. Without a holder a request takes
effect at once.
"""

import logging
from collections.abc import Collection

from django.db import transaction

from compat.copying.declaration import Copy
from compat.copying.messages import Message
from compat.copying.models import CopyRun, Request
from compat.copying.runs import events, lease, store
from compat.copying.states import State, check_transition


def ask(run: CopyRun, using: str, request: Request, by: str = "") -> None:
    """Ask a run to stop and to wait for a person. Raises ForbiddenTransition when it cannot be paused.

    `Request.CANCEL` announces that its rows are to be deleted afterwards, which `operations.cancel` does.
    """
    with transaction.atomic(using=using):
        current = lease.lock_run(run, using)
        check_transition(current.state, State.PAUSED)
        if lease.is_free(current, using):
            _pause(current, using, lease.request_message(request, by))
            return
        CopyRun.objects.using(using).filter(pk=run.pk).update(request=request, requested_by=by)
        events.record(current, using, logging.INFO, lease.request_message(request, by, prefix="to_be_"))


def held_back(copy: Copy, using: str, states: Collection[State]) -> CopyRun | None:
    """Return the newest run of a copy if it is in one of `states`, which only a person ends.

    A request that its dead holder did not obey takes effect first.
    """
    run = store.runs_of(copy, using).first()
    if run is None:
        return None
    with transaction.atomic(using=using):
        run = lease.lock_run(run, using)
        if run.request and lease.is_free(run, using):
            run = _pause(run, using, lease.request_message(run.request, run.requested_by))
    return run if run.state in states else None


def _pause(current: CopyRun, using: str, reason: Message) -> CopyRun:
    paused = lease.take_over(current, using, State.PAUSED, owner="", lease_expires_at=None, error=reason)
    events.record(paused, using, logging.INFO, reason)
    return paused
