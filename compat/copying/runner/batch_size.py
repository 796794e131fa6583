"""The size of a batch: fixed, or following the measured rate."""

from dataclasses import dataclass

INITIAL_ROWS = 500
MIN_ROWS = 100
MAX_ROWS = 100_000
TARGET_SECONDS = 0.5
MAX_GROWTH_FACTOR = 1.5
FORMER_RATE_WEIGHT = 0.75


@dataclass
class BatchSize:
    """The rows of the next batch, chosen so that it takes about TARGET_SECONDS.

    A fixed size stays. `rate`, in rows per second, is an exponentially weighted average, as in Percona's
    pt-online-schema-change.
    """

    fixed: int | None = None
    rows: int = INITIAL_ROWS
    max_rows: int = MAX_ROWS
    rate: float = 0.0

    def __post_init__(self) -> None:
        if self.fixed is not None:
            self.rows = self.fixed

    def measured(self, rows: int, seconds: float) -> None:
        """Adapt to a batch that wrote `rows` rows in `seconds`."""
        if self.fixed is not None or not rows:
            return
        latest = rows / max(seconds, 1e-6)
        self.rate = latest if not self.rate else FORMER_RATE_WEIGHT * self.rate + (1 - FORMER_RATE_WEIGHT) * latest
        self.rows = int(max(MIN_ROWS, min(self.rate * TARGET_SECONDS, self.rows * MAX_GROWTH_FACTOR, self.max_rows)))

    def timed_out(self) -> None:
        """Halve the size after a lock or statement timeout."""
        if self.fixed is None:
            self.rows = max(MIN_ROWS, self.rows // 2)
