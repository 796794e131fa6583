"""The size of a batch: fixed, or following the measured rate."""

from dataclasses import dataclass

START = 500
SMALLEST = 100
LARGEST = 100_000
TARGET_SECONDS = 0.5
GROWTH = 1.5
WEIGHT = 0.75


@dataclass
class BatchSize:
    """Rows for the next batch, so that a batch takes about TARGET_SECONDS.

    The rate is an exponentially weighted average, as in Percona's pt-online-schema-change.
    """

    fixed: int | None = None
    rows: int = START
    largest: int = LARGEST
    rate: float = 0.0

    def __post_init__(self) -> None:
        if self.fixed is not None:
            self.rows = self.fixed

    def measured(self, rows: int, seconds: float) -> None:
        """Follow a batch that wrote `rows` rows in `seconds`."""
        if self.fixed is not None or not rows:
            return
        latest = rows / max(seconds, 1e-6)
        self.rate = latest if not self.rate else WEIGHT * self.rate + (1 - WEIGHT) * latest
        self.rows = int(max(SMALLEST, min(self.rate * TARGET_SECONDS, self.rows * GROWTH, self.largest)))

    def timed_out(self) -> None:
        """Halve the size after a lock or statement timeout."""
        if self.fixed is None:
            self.rows = max(SMALLEST, self.rows // 2)
