"""Who may write for a run: a lease with an expiry, and a fencing token that every checkpoint repeats.

The expiry lets others take over from a dead owner; the token makes a takeover safe even from one that
only seemed dead, for its next checkpoint finds another token and its batch rolls back. The clock is the
database's. See Kleppmann, "How to do distributed locking" (2016), for fencing tokens.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.db import Error, connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from compat.copying.errors import Blocked, LeaseLost
from compat.copying.models import CopyRange, CopyRun
from compat.copying.states import OPEN, State, check_transition
from compat.copying.stopping import Stop

logger = logging.getLogger(__name__)

DURATION = timedelta(seconds=20)
HEARTBEAT = 4.0
"""Seconds between two renewals."""


def identity() -> str:
    """Name this process: host, boot, process id and its start, so that a dead owner on this machine is known."""
    return f"{socket.gethostname()}/{_place()}/{os.getpid()}/{_started(os.getpid())}"


def acquire(run: CopyRun, using: str, state: State) -> CopyRun:
    """Become the owner of `run` in `state` and return it with the new token.

    Raises Blocked when another live process owns it, or another run of the copy is not at its end.
    """
    with transaction.atomic(using=using):
        held = CopyRun.objects.using(using).select_for_update().get(pk=run.pk)
        free = Q(owner="") | Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=Now())
        expired = CopyRun.objects.using(using).filter(free, pk=run.pk).exists()
        if not expired and not _is_dead(held.owner):
            raise Blocked(busy(held))
        others = CopyRun.objects.using(using).filter(copy=held.copy, state__in=OPEN).exclude(pk=held.pk)
        if other := others.first():
            raise Blocked(f"Run {other.pk} of {other.copy} is {other.state}. Bring it to its end first.")
        check_transition(held.state, state)
        CopyRun.objects.using(using).filter(pk=run.pk).update(
            state=state, owner=identity(), token=F("token") + 1, lease_expires_at=Now() + DURATION, error=""
        )
        held.refresh_from_db(using=using)
        CopyRange.objects.using(using).filter(run=held).update(token=held.token)
    if run.owner and run.owner != held.owner:
        logger.warning("run %d: taken over from %s", held.pk, who(run))
    return held


def release(run: CopyRun, using: str, state: State, **results: object) -> None:
    """Give the lease back and leave the run in `state` with its `results`. Raises LeaseLost."""
    check_transition(run.state, state)
    mine = CopyRun.objects.using(using).filter(pk=run.pk, token=run.token)
    if not mine.update(state=state, owner="", lease_expires_at=None, finished_at=Now(), **results):
        raise LeaseLost(run.pk)
    run.refresh_from_db(using=using)


def pause(run: CopyRun, using: str, reason: str) -> None:
    """Give the lease back and leave the run in its state, to be resumed. Raises LeaseLost."""
    mine = CopyRun.objects.using(using).filter(pk=run.pk, token=run.token)
    if not mine.update(owner="", lease_expires_at=None, error=reason):
        raise LeaseLost(run.pk)
    run.refresh_from_db(using=using)


def busy(run: CopyRun) -> str:
    """Say who owns a run and since when."""
    return (
        f"Run {run.pk} of {run.copy} is {run.state}: {who(run)} has it, started at {run.started_at:%Y-%m-%d %H:%M:%S}. "
        "Wait for it, or stop that process; --status shows the runs."
    )


def who(run: CopyRun) -> str:
    """Name the owner of a run for a person."""
    host, _, rest = run.owner.partition("/")
    return f"process {rest.split('/')[1]} on {host}" if rest.count("/") == 2 else run.owner


@contextmanager
def heartbeat(run: CopyRun, using: str, stop: Stop) -> Iterator[None]:
    """Renew the lease from a thread of its own while the block runs; ask for a stop when it is lost."""
    done = threading.Event()
    thread = threading.Thread(target=_renew, args=(run, using, stop, done), name="compat-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(run: CopyRun, using: str, stop: Stop, done: threading.Event) -> None:
    try:
        while not done.wait(HEARTBEAT):
            try:
                mine = CopyRun.objects.using(using).filter(pk=run.pk, token=run.token)
                if not mine.update(lease_expires_at=Now() + DURATION):
                    stop.request("another process took the run over")
                    return
            except Error:
                logger.debug("run %d: the lease could not be renewed", run.pk, exc_info=True)
                connections[using].close()
    finally:
        connections[using].close()


def _is_dead(owner: str) -> bool:
    """Tell whether `owner` is known to be dead: a process that this one would see and that is not there any more."""
    host, _, rest = owner.partition("/")
    if host != socket.gethostname() or rest.count("/") != 2:
        return False
    place, pid, started = rest.split("/")
    if not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) not in {started, "?"}


def _place() -> str:
    """Identify this boot of the machine and this process namespace; empty where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:8]}-{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when the process began, in clock ticks since boot; empty when it has ended, `?` when unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "?"
    return "" if fields[0] == "Z" else fields[19]
