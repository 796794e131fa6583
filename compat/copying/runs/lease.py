"""The right to write for a run: a lease with an expiry, and a fencing token that every checkpoint repeats.

The expiry lets another process take over from a dead holder. The token makes that safe when the former holder is
only slow: its next checkpoint finds a newer token, and its batch is rolled back. The clock is the database's.
See Kleppmann, "How to do distributed locking" (2016), for fencing tokens.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from compat.copying.errors import Blocked, LeaseLost, Overtaken
from compat.copying.messages import Message, state_message
from compat.copying.models import CopyRange, CopyRun, Request
from compat.copying.runs import events
from compat.copying.runs.lease_holder import describe_holder, holder_identity, is_dead
from compat.copying.states import OPEN, State, check_transition, may_become

DURATION = timedelta(seconds=20)
REQUEST_CODES = {Request.PAUSE: "paused", Request.CANCEL: "cancelled"}


def acquire(run: CopyRun, using: str, state: State) -> CopyRun:
    """Take the lease of `run`, which gets the state `state`, and return the run with the new token.

    Raises Blocked when a live process holds the lease or another run of the copy is open, and Overtaken when the
    run is no longer as `run` says.
    """
    with transaction.atomic(using=using):
        former = lock_run(run, using)
        if not is_free(former, using):
            raise Blocked(held_message(former))
        if (former.state, former.token) != (run.state, run.token):
            raise Overtaken(run.pk)
        others = CopyRun.objects.using(using).filter(copy=former.copy, state__in=OPEN).exclude(pk=former.pk)
        if other := others.first():
            text = _("Run %(run)d of %(copy)s is %(state)s. Complete it or roll it back first.")
            raise Blocked(text % {"run": other.pk, "copy": other.copy, "state": other.get_state_display()})
        held = take_over(former, using, state, owner=holder_identity(), lease_expires_at=Now() + DURATION)
        if former.token:
            level = logging.WARNING if former.owner else logging.INFO
            events.record(held, using, level, _acquired_message(former, held))
    return held


def take_over(former: CopyRun, using: str, state: State, *, error: Message | None = None, **values: Any) -> CopyRun:
    """Raise the token of a locked run, so that former holders cannot write, and clear its request."""
    check_transition(former.state, state)
    run = CopyRun.objects.using(using).filter(pk=former.pk)
    values |= {"request": "", "requested_by": "", "phase": "", **_error_values(error)}
    run.update(state=state, token=F("token") + 1, **values)
    held = run.get()
    CopyRange.objects.using(using).filter(run=held).update(token=held.token)
    return held


def release(
    run: CopyRun, using: str, state: State, event: Message, level: int = logging.INFO, *,
    error: Message | None = None, **values: Any,
) -> None:  # fmt: skip
    """Return the lease and leave the run in `state`.

    A run that could be resumed is paused instead when a person asked for a stop. Raises LeaseLost.
    """
    with transaction.atomic(using=using):
        held = _lock_held_run(run, using)
        if held.request and may_become(state, State.PAUSED):
            request = request_message(held.request, held.requested_by)
            failed = state == State.FAILED
            event = Message("paused_after_failure", request=request, failure=event) if failed else request
            state, error = State.PAUSED, event
        check_transition(held.state, state)
        values |= {"request": "", "requested_by": "", "finished_at": Now(), **_error_values(error)}
        _return_lease(run, using, state=state, **values)
        events.record(run, using, level, event)
    run.refresh_from_db(using=using)


def release_unfinished(run: CopyRun, using: str, reason: Message, level: int) -> None:
    """Return the lease and leave the run in its state, to be continued. Raises LeaseLost."""
    with transaction.atomic(using=using):
        held = _lock_held_run(run, using)
        _return_lease(run, using, **_error_values(reason))
        events.record(run, using, level, Message("unfinished", state=state_message(held.state), reason=reason))
    run.refresh_from_db(using=using)


def lock_run(run: CopyRun, using: str) -> CopyRun:
    """Return the run as it is now, locked until the open transaction ends."""
    return CopyRun.objects.using(using).select_for_update().get(pk=run.pk)


def is_free(run: CopyRun, using: str) -> bool:
    """Return whether the lease may be taken: it has no holder, it expired, or its holder is known to be dead."""
    free = Q(owner="") | Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=Now())
    return CopyRun.objects.using(using).filter(free, pk=run.pk).exists() or is_dead(run.owner)


def request_message(request: str, requested_by: str, prefix: str = "") -> Message:
    """Say that a request was made and who made it; with the prefix "to_be_", that it is not yet obeyed."""
    code = prefix + REQUEST_CODES[Request(request)]
    return Message(f"{code}_by", name=requested_by) if requested_by else Message(code)


def held_message(run: CopyRun) -> str:
    return _(
        "Run %(run)d of %(copy)s is %(state)s: %(owner)s holds the lease; the run started at %(moment)s. "
        "Wait for that process or stop it; --status lists the runs."
    ) % {
        "run": run.pk,
        "copy": run.copy,
        "state": run.get_state_display(),
        "owner": describe_holder(run.owner),
        "moment": f"{run.started_at:%Y-%m-%d %H:%M:%S}",
    }


def _acquired_message(former: CopyRun, held: CopyRun) -> Message:
    facts = {"state": state_message(held.state), "owner": describe_holder(held.owner)}
    if former.owner:
        return Message("taken_over", former=describe_holder(former.owner), **facts)
    return Message("resumed", former=state_message(former.state), **facts)


def _lock_held_run(run: CopyRun, using: str) -> CopyRun:
    """Lock a run whose lease this process holds. Raises LeaseLost."""
    held = CopyRun.objects.using(using).select_for_update().filter(pk=run.pk, token=run.token).first()
    if held is None:
        raise LeaseLost(run.pk)
    return held


def _return_lease(run: CopyRun, using: str, **values: Any) -> None:
    CopyRun.objects.using(using).filter(pk=run.pk).update(owner="", lease_expires_at=None, phase="", **values)


def _error_values(error: Message | None) -> dict[str, Any]:
    return {"error": "", "error_message": error.as_json() if error else None}
