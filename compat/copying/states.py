"""The states of a run and the transitions between them: the one place that says what may follow what."""

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


MEANINGS: dict[State, Promise] = {
    State.RUNNING: _("an owner holds the lease and copies"),
    State.STOPPED: _("stopped at a batch border; whoever copies next resumes it, a starting server, too"),
    State.PAUSED: _("stopped at a batch border because a person asked for it; only a person resumes it"),
    State.FAILED: _("gave up on an error; whoever copies next resumes it, a starting server, too"),
    State.COMPLETED: _("every row is over or rejected, and source and target were compared"),
    State.ROLLING_BACK: _("an owner holds the lease and takes the rows back"),
    State.ROLLED_BACK: _("the rows are gone, but for those that somebody changed since"),
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
    """Tell whether a run in state `former` may become `new`."""
    return new in TRANSITIONS[State(former)]


def check_transition(former: str, new: State) -> None:
    """Raise ForbiddenTransition unless a run in state `former` may become `new`."""
    if not may_become(former, new):
        raise ForbiddenTransition(State(former).label, new.label)
