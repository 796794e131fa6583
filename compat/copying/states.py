"""The states of a run with the transitions between them, and the phases of a run in their order."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compat.copying.errors import ForbiddenTransition


class State(models.TextChoices):
    """What a run is doing, or how it ended."""

    RUNNING = "running", _("running")
    STOPPED = "stopped", _("stopped")
    PAUSED = "paused", _("paused")
    FAILED = "failed", _("failed")
    COMPLETED = "completed", _("completed")
    ROLLING_BACK = "rolling_back", _("rolling back")
    ROLLED_BACK = "rolled_back", _("rolled back")


class Phase(models.TextChoices):
    """What a running process does, in this order; the first two come before the process holds the lease."""

    PREFLIGHT = "preflight", _("checking")
    RESERVE = "reserve", _("reserving keys")
    RETRY_REJECTED = "retry_rejected", _("retrying rejected rows")
    DEFER_INDEXES = "defer_indexes", _("deferring indexes")
    COPY = "copy", _("copying")
    WAIT_FOR_WRITERS = "wait_for_writers", _("waiting for open transactions")
    ANALYZE = "analyze", _("refreshing statistics")
    RESTORE_INDEXES = "restore_indexes", _("building indexes")
    VERIFY = "verify", _("verifying")
    SWEEP = "sweep", _("copying late rows")
    ROLL_BACK = "roll_back", _("rolling back")


MEANINGS: dict[State, Promise] = {
    State.RUNNING: _("a process holds the lease and copies"),
    State.STOPPED: _("stopped at a batch border; the next copy resumes it, also that of a starting server"),
    State.PAUSED: _("stopped at a batch border on request; only a person resumes it"),
    State.FAILED: _("stopped by an error; the next copy resumes it, also that of a starting server"),
    State.COMPLETED: _("every row is copied or rejected, and source and target were compared"),
    State.ROLLING_BACK: _("a process holds the lease and deletes the copied rows"),
    State.ROLLED_BACK: _("the copied rows are deleted, except those that changed or are referred to"),
}
TRANSITIONS: dict[State, frozenset[State]] = {
    State.RUNNING: frozenset(
        {State.RUNNING, State.STOPPED, State.PAUSED, State.FAILED, State.COMPLETED, State.ROLLING_BACK}
    ),
    State.STOPPED: frozenset({State.RUNNING, State.PAUSED, State.ROLLING_BACK}),
    State.PAUSED: frozenset({State.RUNNING, State.ROLLING_BACK}),
    State.FAILED: frozenset({State.RUNNING, State.PAUSED, State.ROLLING_BACK}),
    State.COMPLETED: frozenset({State.RUNNING, State.ROLLING_BACK}),
    State.ROLLING_BACK: frozenset({State.ROLLING_BACK, State.ROLLED_BACK}),
    State.ROLLED_BACK: frozenset(),
}
RESUMABLE = (State.RUNNING, State.STOPPED, State.PAUSED, State.FAILED)
OPEN = (*RESUMABLE, State.ROLLING_BACK)


def may_become(former: str, new: State) -> bool:
    """Return whether a run in state `former` may become `new`."""
    return new in TRANSITIONS[State(former)]


def check_transition(former: str, new: State) -> None:
    """Raise ForbiddenTransition unless a run in state `former` may become `new`."""
    if not may_become(former, new):
        raise ForbiddenTransition(State(former).label, new.label)
