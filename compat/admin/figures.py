"""The figures of a run, from the checkpoints of its ranges: a constant number of small rows per run."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet
from django.db.models.functions import Now

from compat.copying.keys import part_done
from compat.copying.models import CopyRun
from compat.copying.runs.lease import DURATION
from compat.copying.states import State

COUNTS = ("copied", "rejected", "batches")
Run = TypeVar("Run", bound=CopyRun)


@dataclass(frozen=True)
class Figures:
    """Counts of a run so far; `done` from 0 to 1, `seconds` of work, `eta` in seconds or None if unknown."""

    copied: int
    rejected: int
    batches: int
    done: float
    seconds: float
    eta: float | None

    @property
    def rate(self) -> float:
        """Copied rows per second."""
        return self.copied / self.seconds if self.seconds else 0.0


def with_clock(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Add the time of the database to runs. Leases expire by that clock, and the clock of this host may differ."""
    clocked: QuerySet[Run] = runs.annotate(clock=Now())
    return clocked


def figures_of(run: CopyRun) -> Figures:
    """Return the figures of a run that `with_clock` selected."""
    ranges = list(run.ranges.using(run._state.db or "default"))
    copied, rejected, batches = (sum(getattr(part, count) for part in ranges) for count in COUNTS)
    done = sum(map(part_done, ranges)) / len(ranges) if ranges else 1.0
    seconds = seconds_of(run)
    eta = seconds * (1 - done) / done if run.state == State.RUNNING and is_live(run) and done else None
    return Figures(copied, rejected, batches, done, seconds, eta)


def seconds_of(run: CopyRun) -> float:
    """Return the seconds of work: those of the last heartbeat, and for a live run the time since then."""
    if run.state != State.RUNNING or run.lease_expires_at is None or not is_live(run):
        return run.seconds
    return run.seconds + max(0.0, (_clock(run) - (run.lease_expires_at - DURATION)).total_seconds())


def is_live(run: CopyRun) -> bool:
    """Return whether a process holds the lease. A process that died holds it until it expires."""
    return bool(run.owner) and run.lease_expires_at is not None and run.lease_expires_at > _clock(run)


def _clock(run: CopyRun) -> datetime:
    clock: datetime = run.clock  # type: ignore[attr-defined]  # annotated by `with_clock`
    return clock
