"""The states of a run and the transitions between them.

running       an owner holds the lease and copies
stopped       stopped at a batch border on request; run again to resume
failed        gave up on an error; run again to resume
completed     every row is over or rejected, and source and target were compared
rolling_back  an owner holds the lease and takes the rows back
rolled_back   the run's rows are gone, but for those that somebody changed since
"""

from django.db import models

from compat.copying.errors import ForbiddenTransition


class State(models.TextChoices):
    """What a run is doing, or how it ended."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    COMPLETED = "completed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.RUNNING: frozenset({State.RUNNING, State.STOPPED, State.FAILED, State.COMPLETED, State.ROLLING_BACK}),
    State.STOPPED: frozenset({State.RUNNING, State.ROLLING_BACK}),
    State.FAILED: frozenset({State.RUNNING, State.ROLLING_BACK}),
    State.COMPLETED: frozenset({State.RUNNING, State.ROLLING_BACK}),
    State.ROLLING_BACK: frozenset({State.ROLLING_BACK, State.ROLLED_BACK}),
    State.ROLLED_BACK: frozenset(),
}
RESUMABLE = (State.RUNNING, State.STOPPED, State.FAILED)
OPEN = (*RESUMABLE, State.ROLLING_BACK)


def check_transition(former: str, new: State) -> None:
    """Raise ForbiddenTransition unless a run in state `former` may become `new`."""
    if new not in TRANSITIONS[State(former)]:
        raise ForbiddenTransition(former, new)
