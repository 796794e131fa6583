"""Who may write for a run: a lease with an expiry, and a fencing token that every checkpoint repeats.

The expiry lets others take over from a dead owner; the token makes a takeover safe even from one that
only seemed dead, for its next checkpoint finds another token and its batch rolls back. The clock is the
database's. See Kleppmann, "How to do distributed locking" (2016), for fencing tokens.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from compat.copying import events
from compat.copying.errors import Blocked, LeaseLost
from compat.copying.models import CopyRange, CopyRun, Request
from compat.copying.owners import identity, is_dead, who
from compat.copying.states import OPEN, State, check_transition, may_become

DURATION = timedelta(seconds=20)


def acquire(run: CopyRun, using: str, state: State) -> CopyRun:
    """Become the owner of `run` in `state` and return it with the new token.

    Raises Blocked when another live process owns it, or another run of the copy is not at its end.
    """
    with transaction.atomic(using=using):
        former = locked(run, using)
        if not is_free(former, using):
            raise Blocked(busy(former))
        others = CopyRun.objects.using(using).filter(copy=former.copy, state__in=OPEN).exclude(pk=former.pk)
        if other := others.first():
            raise Blocked(f"Run {other.pk} of {other.copy} is {other.get_state_display()}. Bring it to its end first.")
        held = fence(former, using, state, owner=identity(), lease_expires_at=Now() + DURATION, error="")
        if former.token:
            events.record(held, using, logging.WARNING if former.owner else logging.INFO, _taken(former, held))
    return held


def fence(former: CopyRun, using: str, state: State, **values: Any) -> CopyRun:
    """Shut every former owner out of a locked run and leave it in `state` with `values`, no request pending."""
    check_transition(former.state, state)
    mine = CopyRun.objects.using(using).filter(pk=former.pk)
    mine.update(state=state, token=F("token") + 1, request="", requested_by="", **values)
    held = mine.get()
    CopyRange.objects.using(using).filter(run=held).update(token=held.token)
    return held


def release(run: CopyRun, using: str, state: State, text: str, level: int = logging.INFO, **results: Any) -> None:
    """Give the lease back and leave the run in `state` with its `results`; `text` tells what happened.

    A run that would wait to be resumed, but that a person asked to stop, is paused. Raises LeaseLost.
    """
    with transaction.atomic(using=using):
        held = _owned(run, using)
        if held.request and may_become(state, State.PAUSED):
            text = asked(held.request, held.requested_by) + (f"; {text}" if state == State.FAILED else "")
            state, results["error"] = State.PAUSED, text
        check_transition(held.state, state)
        ended = {"owner": "", "lease_expires_at": None, "request": "", "requested_by": "", "finished_at": Now()}
        CopyRun.objects.using(using).filter(pk=run.pk).update(state=state, **ended, **results)
        events.record(run, using, level, text)
    run.refresh_from_db(using=using)


def leave(run: CopyRun, using: str, text: str, level: int) -> None:
    """Give the lease back and leave the run in its state, to be resumed. Raises LeaseLost."""
    with transaction.atomic(using=using):
        held = _owned(run, using)
        CopyRun.objects.using(using).filter(pk=run.pk).update(owner="", lease_expires_at=None, error=text)
        events.record(run, using, level, f"{held.get_state_display()}, not at its end: {text}")
    run.refresh_from_db(using=using)


def locked(run: CopyRun, using: str) -> CopyRun:
    """Return the run as it is now, locked until the open transaction ends."""
    return CopyRun.objects.using(using).select_for_update().get(pk=run.pk)


def is_free(run: CopyRun, using: str) -> bool:
    """Tell whether nobody has the run: no owner, one whose lease expired, or one that is known to be dead."""
    free = Q(owner="") | Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=Now())
    return CopyRun.objects.using(using).filter(free, pk=run.pk).exists() or is_dead(run.owner)


def asked(request: str, requested_by: str) -> str:
    """Say what somebody asked of a run, and who."""
    done = {Request.PAUSE: "paused", Request.CANCEL: "cancelled"}[Request(request)]
    return f"{done} by {requested_by}" if requested_by else f"{done} on request"


def busy(run: CopyRun) -> str:
    """Say who owns a run and since when."""
    return (
        f"Run {run.pk} of {run.copy} is {run.get_state_display()}: {who(run.owner)} has it, "
        f"started at {run.started_at:%Y-%m-%d %H:%M:%S}. "
        "Wait for it, or stop that process; --status shows the runs."
    )


def _owned(run: CopyRun, using: str) -> CopyRun:
    """Lock a run that this process owns. Raises LeaseLost."""
    held = CopyRun.objects.using(using).select_for_update().filter(pk=run.pk, token=run.token).first()
    if held is None:
        raise LeaseLost(run.pk)
    return held


def _taken(former: CopyRun, held: CopyRun) -> str:
    since = f"taken over from {who(former.owner)}" if former.owner else f"it was {former.get_state_display()}"
    return f"{held.get_state_display()}: {who(held.owner)} has it, {since}"
