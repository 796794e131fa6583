"""The size of a batch follows the measured rate within its bounds."""

import pytest

from compat.copying.runner.batch_size import INITIAL_ROWS, MAX_ROWS, MIN_ROWS, TARGET_SECONDS, BatchSize


def after(size, rate, batches):
    """Return the size after batches that were all written at `rate` rows per second."""
    for _ in range(batches):
        size.measured(size.rows, size.rows / rate)
    return size.rows


def test_it_grows_by_half_at_most_and_settles_at_the_target():
    size = BatchSize()
    assert [after(size, 10_000, 1) for _ in range(8)] == [750, 1125, 1687, 2530, 3795, 5000, 5000, 5000]
    assert size.rows == 10_000 * TARGET_SECONDS


@pytest.mark.parametrize(("rate", "expected"), [(1.0, MIN_ROWS), (1e9, MAX_ROWS)])
def test_it_stays_within_its_bounds(rate, expected):
    assert after(BatchSize(), rate, 30) == expected


def test_one_slow_batch_counts_a_quarter():
    size = BatchSize(rows=5000)
    after(size, 10_000, 1)
    assert after(size, 2_000, 1) == (0.75 * 10_000 + 0.25 * 2_000) * TARGET_SECONDS


def test_a_timeout_halves_it_down_to_the_minimum():
    size = BatchSize(rows=500)
    sizes = []
    for _ in range(4):
        size.timed_out()
        sizes.append(size.rows)
    assert sizes == [250, 125, MIN_ROWS, MIN_ROWS]


def test_an_empty_batch_changes_nothing():
    size = BatchSize()
    size.measured(0, 0.0)
    assert (size.rows, size.rate) == (INITIAL_ROWS, 0.0)


def test_a_fixed_size_stays():
    size = BatchSize(fixed=7)
    size.measured(7, 10.0)
    size.timed_out()
    assert size.rows == 7


def test_the_maximum_may_be_lower_than_that_of_all_copies():
    assert after(BatchSize(max_rows=2000), 1e9, 10) == 2000
