"""How far a run is, from the checkpoints of its ranges: a constant number of small rows, whatever the table."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import Now

from compat.copying.models import CopyRun
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

    def as_dict(self) -> dict[str, Any]:
        """Return what the run's page asks for."""
        return {**asdict(self), "rate": self.rate}


def progress_of(run: CopyRun) -> Progress:
    """Return how far `run` is."""
    using = run._state.db or "default"
    sums = run.ranges.using(using).aggregate(
        copied=Sum("copied"), rejected=Sum("rejected"), batches=Sum("batches"),
        keys=Sum(F("last_key") - F("first_key") + 1), over=Sum(F("next_key") - F("first_key")),
    )  # fmt: skip
    counts = {name: value or 0 for name, value in sums.items()}
    done = counts["over"] / counts["keys"] if counts["keys"] else 1.0
    seconds = run.seconds
    if run.state == State.RUNNING and not run.seconds:
        now = CopyRun.objects.using(using).filter(pk=run.pk).annotate(now=Now()).values_list("now", flat=True)[0]
        seconds = (now - run.started_at).total_seconds()
    eta = seconds * (1 - done) / done if run.state == State.RUNNING and done else None
    return Progress(counts["copied"], counts["rejected"], counts["batches"], done, seconds, eta)
