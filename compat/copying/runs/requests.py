"""Steering a run that may belong to another process, on another machine: through the database.

Its owner looks every second and obeys at the next batch border. A run that nobody has obeys at once.
"""

import logging
from collections.abc import Collection

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from compat.copying.declaration import Copy
from compat.copying.models import CopyRun, Request
from compat.copying.runs import events, lease, store
from compat.copying.states import State, check_transition


def ask(run: CopyRun, using: str, request: Request, by: str = "") -> None:
    """Ask a run to stop and to wait for a person. Raises ForbiddenTransition where it cannot be paused.

    `Request.CANCEL` says that its rows are to be taken back then, which `operations.cancel` does.
    """
    with transaction.atomic(using=using):
        held = lease.locked(run, using)
        check_transition(held.state, State.PAUSED)
        if lease.is_free(held, using):
            _pause(held, using, lease.asked(request, by))
            return
        CopyRun.objects.using(using).filter(pk=run.pk).update(request=request, requested_by=by)
        text = format_lazy(_("to be {asked} at the next batch border"), asked=lease.asked(request, by))
        events.record(held, using, logging.INFO, text)


def held_back(copy: Copy, using: str, states: Collection[State]) -> CopyRun | None:
    """Return the newest run of a copy if it is in one of `states`, in which only a person goes on."""
    run = store.runs_of(copy, using).first()
    if run is None:
        return None
    with transaction.atomic(using=using):
        run = lease.locked(run, using)
        if run.request and lease.is_free(run, using):
            run = _pause(run, using, lease.asked(run.request, run.requested_by))
    return run if run.state in states else None


def _pause(held: CopyRun, using: str, text: str | Promise) -> CopyRun:
    held = lease.fence(held, using, State.PAUSED, owner="", lease_expires_at=None, error=str(text))
    events.record(held, using, logging.INFO, text)
    return held
