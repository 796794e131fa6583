"""Samples of the progress of a run over its seconds of work, bounded in number."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

MAX_SAMPLES = 200
MIN_DISTANCE_SECONDS = 0.5
"""A sample that is closer to the one before replaces it."""


class Sample(NamedTuple):
    """The rows and batches that were done after these seconds of work."""

    seconds: float
    rows: int
    batches: int


class Speed(NamedTuple):
    """Rows per second up to a moment in seconds of work, and rows per batch; None when no batch ended."""

    seconds: float
    rate: float
    batch: float | None


def with_sample(samples: list[list[float]], sample: Sample) -> list[list[float]]:
    """Return the samples with one more; from MAX_SAMPLES on, drop the one whose neighbours are closest."""
    if samples and sample.seconds <= samples[-1][0]:
        return samples
    if samples and sample.seconds - samples[-1][0] < MIN_DISTANCE_SECONDS:
        samples = samples[:-1]
    more = [*samples, [round(sample.seconds, 2), sample.rows, sample.batches]]
    if len(more) > MAX_SAMPLES:
        del more[min(range(1, MAX_SAMPLES), key=lambda index: more[index + 1][0] - more[index - 1][0])]
    return more


def speeds(samples: list[list[float]]) -> Iterator[Speed]:
    """Yield the speed between each two samples; the first interval starts at zero."""
    for (began, before, batches_before), (seconds, rows, batches) in pairwise([[0.0, 0, 0], *samples]):
        copied, number = max(0, rows - before), batches - batches_before
        if seconds > began:
            yield Speed(seconds, copied / (seconds - began), copied / number if number > 0 else None)
