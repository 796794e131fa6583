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
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.errors import Blocked, LeaseLost, Overtaken
from compat.copying.models import CopyRange, CopyRun, Request
from compat.copying.runs import events
from compat.copying.runs.lease_holder import describe_holder, holder_identity, is_dead
from compat.copying.states import OPEN, State, check_transition, may_become

DURATION = timedelta(seconds=20)
ASKED = {
    Request.PAUSE: (gettext_lazy("paused by {name}"), gettext_lazy("paused on request")),
    Request.CANCEL: (gettext_lazy("cancelled by {name}"), gettext_lazy("cancelled on request")),
}


def acquire(run: CopyRun, using: str, state: State) -> CopyRun:
    """Become the owner of `run` in `state` and return it with the new token.

    Raises Blocked when another live process owns it, or another run of the copy is not at its end, and
    Overtaken when the run is no longer as `run` says.
    """
    with transaction.atomic(using=using):
        former = locked(run, using)
        if not is_free(former, using):
            raise Blocked(busy(former))
        if (former.state, former.token) != (run.state, run.token):
            raise Overtaken(run.pk)
        others = CopyRun.objects.using(using).filter(copy=former.copy, state__in=OPEN).exclude(pk=former.pk)
        if other := others.first():
            text = _("Run %(run)d of %(copy)s is %(state)s. Bring it to its end first.")
            raise Blocked(text % {"run": other.pk, "copy": other.copy, "state": other.get_state_display()})
        held = fence(former, using, state, owner=holder_identity(), lease_expires_at=Now() + DURATION, error="")
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


def release(
    run: CopyRun, using: str, state: State, text: str | Promise, level: int = logging.INFO, **results: Any
) -> None:
    """Give the lease back and leave the run in `state` with its `results`; `text` tells what happened.

    A run that would wait to be resumed, but that a person asked to stop, is paused. Raises LeaseLost.
    """
    with transaction.atomic(using=using):
        held = _owned(run, using)
        if held.request and may_become(state, State.PAUSED):
            request = asked(held.request, held.requested_by)
            text = (
                format_lazy(gettext_lazy("{asked}; {text}"), asked=request, text=text)
                if state == State.FAILED
                else request
            )
            state, results["error"] = State.PAUSED, str(text)
        check_transition(held.state, state)
        ended = {"owner": "", "lease_expires_at": None, "request": "", "requested_by": "", "finished_at": Now()}
        CopyRun.objects.using(using).filter(pk=run.pk).update(state=state, **ended, **results)
        events.record(run, using, level, text)
    run.refresh_from_db(using=using)


def leave(run: CopyRun, using: str, text: str | Promise, level: int) -> None:
    """Give the lease back and leave the run in its state, to be resumed. Raises LeaseLost."""
    with transaction.atomic(using=using):
        held = _owned(run, using)
        CopyRun.objects.using(using).filter(pk=run.pk).update(owner="", lease_expires_at=None, error=str(text))
        unfinished = gettext_lazy("{state}, not at its end: {text}")
        events.record(run, using, level, format_lazy(unfinished, state=State(held.state).label, text=text))
    run.refresh_from_db(using=using)


def locked(run: CopyRun, using: str) -> CopyRun:
    """Return the run as it is now, locked until the open transaction ends."""
    return CopyRun.objects.using(using).select_for_update().get(pk=run.pk)


def is_free(run: CopyRun, using: str) -> bool:
    """Tell whether nobody has the run: no owner, one whose lease expired, or one that is known to be dead."""
    free = Q(owner="") | Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=Now())
    return CopyRun.objects.using(using).filter(free, pk=run.pk).exists() or is_dead(run.owner)


def asked(request: str, requested_by: str) -> str | Promise:
    """Say what somebody asked of a run, and who."""
    named, unnamed = ASKED[Request(request)]
    return format_lazy(named, name=requested_by) if requested_by else unnamed


def busy(run: CopyRun) -> str:
    """Say who owns a run and since when."""
    return _(
        "Run %(run)d of %(copy)s is %(state)s: %(owner)s has it, started at %(moment)s. "
        "Wait for it, or stop that process; --status shows the runs."
    ) % {
        "run": run.pk,
        "copy": run.copy,
        "state": run.get_state_display(),
        "owner": describe_holder(run.owner),
        "moment": f"{run.started_at:%Y-%m-%d %H:%M:%S}",
    }


def _owned(run: CopyRun, using: str) -> CopyRun:
    """Lock a run that this process owns. Raises LeaseLost."""
    held = CopyRun.objects.using(using).select_for_update().filter(pk=run.pk, token=run.token).first()
    if held is None:
        raise LeaseLost(run.pk)
    return held


def _taken(former: CopyRun, held: CopyRun) -> str | Promise:
    if former.owner:
        text = gettext_lazy("{state}: {owner} has it, taken over from {former}")
        since = describe_holder(former.owner)
    else:
        text = gettext_lazy("{state}: {owner} has it, it was {former}")
        since = State(former.state).label
    return format_lazy(text, state=State(held.state).label, owner=describe_holder(held.owner), former=since)
