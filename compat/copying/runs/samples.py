"""The course of a run: a bounded number of samples of how far it was after how many seconds of work."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

MOST = 200
"""Samples that a run keeps."""
CLOSEST = 0.5
"""Seconds between two samples at least; a later one takes the place of one that is closer."""


class Sample(NamedTuple):
    """Seconds of work, and the rows and batches that were over by then."""

    seconds: float
    rows: int
    batches: int


class Speed(NamedTuple):
    """Rows per second up to a moment in seconds of work, and rows per batch; None where no batch ended."""

    seconds: float
    rate: float
    batch: float | None


def added(samples: list[list[float]], sample: Sample) -> list[list[float]]:
    """Return the samples with another one, thinned where they are closest when they become too many."""
    if samples and sample.seconds <= samples[-1][0]:
        return samples
    if samples and sample.seconds - samples[-1][0] < CLOSEST:
        samples = samples[:-1]
    more = [*samples, [round(sample.seconds, 2), sample.rows, sample.batches]]
    if len(more) > MOST:
        del more[min(range(1, MOST), key=lambda place: more[place + 1][0] - more[place - 1][0])]
    return more


def speeds(samples: list[list[float]]) -> Iterator[Speed]:
    """Yield the speed between each two samples; a run begins at zero."""
    for (began, before, batches_before), (seconds, rows, batches) in pairwise([[0.0, 0, 0], *samples]):
        copied, number = max(0, rows - before), batches - batches_before
        if seconds > began:
            yield Speed(seconds, copied / (seconds - began), copied / number if number > 0 else None)
