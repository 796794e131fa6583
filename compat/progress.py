"""How far a run is, from the checkpoints of its ranges: a constant number of small rows, whatever the table."""

from dataclasses import dataclass

from django.db.models import F, Sum
from django.utils import timezone

from compat.copying.models import CopyRun
from compat.copying.runs.lease import DURATION
from compat.copying.states import State


@dataclass(frozen=True)
class Progress:
    """Counts of a run so far; `done` from 0 to 1, `seconds` of work, `eta` in seconds where it can be told."""

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


def progress_of(run: CopyRun) -> Progress:
    """Return how far `run` is."""
    using = run._state.db or "default"
    sums = run.ranges.using(using).aggregate(
        copied=Sum("copied"), rejected=Sum("rejected"), batches=Sum("batches"),
        keys=Sum(F("last_key") - F("first_key") + 1), over=Sum(F("next_key") - F("first_key")),
    )  # fmt: skip
    counts = {name: value or 0 for name, value in sums.items()}
    done = counts["over"] / counts["keys"] if counts["keys"] else 1.0
    seconds = seconds_of(run)
    eta = seconds * (1 - done) / done if run.state == State.RUNNING and is_live(run) and done else None
    return Progress(counts["copied"], counts["rejected"], counts["batches"], done, seconds, eta)


def seconds_of(run: CopyRun) -> float:
    """Return the seconds of work: those at the last heartbeat, and of a live run those since then."""
    if run.state != State.RUNNING or run.lease_expires_at is None or not is_live(run):
        return run.seconds
    return run.seconds + max(0.0, (timezone.now() - (run.lease_expires_at - DURATION)).total_seconds())


def is_live(run: CopyRun) -> bool:
    """Tell whether a process has the run; one that died counts until its lease expires."""
    return bool(run.owner) and run.lease_expires_at is not None and run.lease_expires_at > timezone.now()
