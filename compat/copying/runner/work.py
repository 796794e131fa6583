"""A run in work: what its phases share."""

import time
from dataclasses import dataclass, field

from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.copying.rows.rollback import Kept
from compat.copying.rows.verification import Differences


@dataclass
class Work:
    """A run whose lease this process holds, and what the phases found so far."""

    job: Job
    run: CopyRun
    began: float = field(default_factory=time.monotonic)
    differences: Differences = field(default_factory=Differences)
    kept: Kept = field(default_factory=lambda: Kept(Differences()))
    """What a rollback could not delete."""
    deleted: int = 0
    """Rows that a rollback deleted."""

    @property
    def seconds(self) -> float:
        """Seconds since this process started to work on the run."""
        return time.monotonic() - self.began
