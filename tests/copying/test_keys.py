"""The arithmetic of keys, without a database."""

from itertools import pairwise

import pytest

from compat.copying.dialects.base import KeyUse
from compat.copying.errors import Blocked
from compat.copying.key_types import (
    MAX_INTEGER,
    MAX_RANGES,
    MIN_INTEGER,
    MIN_RANGE_KEYS,
    IntegerKeys,
    KeyList,
    KeyRange,
)
from compat.copying.keys import OffsetKeys, SameKeys, part_done

INTEGERS = IntegerKeys()
STRATEGIES = [OffsetKeys(INTEGERS), OffsetKeys(INTEGERS, 40), SameKeys(INTEGERS)]


class Counter:
    """The sequences of a dialect whose table has these keys in use."""

    def __init__(self, highest, counter):
        self.use = KeyUse(highest, counter)
        self.sequences = self

    def lock(self, cursor, table, column):
        return self.use

    def raise_to(self, cursor, table, column, key):
        self.raised = key


class Stored:
    def __init__(self, after, upto, done=None):
        self.after_key, self.upto_key, self.done_key = after, upto, done


@pytest.mark.parametrize(("first", "after"), [(1, 0), (500, 0), (0, -1), (-7, -8), (MIN_INTEGER, None)])
def test_a_first_run_begins_with_one_or_below(first, after):
    assert INTEGERS.start(first) == after


@pytest.mark.parametrize(
    "keys",
    [
        KeyRange(0, 1),
        KeyRange(-8, 60),
        KeyRange(0, MIN_RANGE_KEYS + 1),
        KeyRange(-5, 10**15),
        KeyRange(None, MAX_INTEGER),
        KeyRange(MAX_INTEGER - 1, MAX_INTEGER),
    ],
)
def test_ranges_cover_all_keys_once(keys):
    parts = list(INTEGERS.split(keys))
    assert (parts[0].after, parts[-1].last) == (keys.after, keys.last)
    assert all(before.last == after.after for before, after in pairwise(parts))
    assert all(parts)
    assert len(parts) <= MAX_RANGES
    assert sum(map(INTEGERS.span, parts)) == INTEGERS.span(keys)


def test_a_range_is_empty_when_nothing_is_left():
    part = Stored(-8, 60, done=60)
    for keys in STRATEGIES:
        assert (bool(keys.remaining(part)), keys.done(part), keys.range_of(part)) == (
            False, KeyRange(-8, 60), KeyRange(-8, 60),
        )  # fmt: skip


def test_a_checkpoint_divides_a_range():
    part = Stored(None, 60, done=-3)
    for keys in STRATEGIES:
        assert (keys.done(part), keys.remaining(part)) == (KeyRange(None, -3), KeyRange(-3, 60))


@pytest.mark.parametrize("keys", [KeyRange(-8, 60), KeyRange(None, 3), KeyRange(MIN_INTEGER, MAX_INTEGER)])
def test_a_stored_range_reads_back(keys):
    for strategy in STRATEGIES:
        columns = strategy.to_columns(keys)
        assert strategy.range_of(Stored(columns["after_key"], columns["upto_key"])) == keys


@pytest.mark.parametrize(("middle", "parts"), [(5, ((0, 5), (5, 9))), (9, ((0, 9), (9, 9)))])
def test_a_range_is_halved_behind_a_key(middle, parts):
    assert KeyRange(0, 9).halves(middle) == tuple(KeyRange(*part) for part in parts)


def test_a_list_is_halved_by_number():
    assert KeyList((9, 1, 5)).halves(5) == (KeyList((9,)), KeyList((1, 5)))


@pytest.mark.parametrize(
    ("highest", "counter", "keys", "offset"),
    [
        (None, 0, KeyRange(0, 9), 0),
        (None, 77, KeyRange(-5, 9), 0),
        (10, 12, KeyRange(0, 9), 12),
        (10, 3, KeyRange(-5, 9), 15),
        (-4, 0, KeyRange(-5, 9), 5),
        (10, 10, KeyRange(9, 12), 1),
    ],
)
def test_a_block_follows_all_keys_of_the_target(highest, counter, keys, offset):
    dialect = Counter(highest, counter)
    reserved = OffsetKeys(INTEGERS).reserve(dialect, None, "t", "id", keys)
    assert (reserved.offset, dialect.raised) == (offset, keys.last + offset)


def test_a_block_beyond_64_bits_is_refused():
    with pytest.raises(Blocked, match="64 bits"):
        OffsetKeys(INTEGERS).reserve(Counter(5, 5), None, "t", "id", KeyRange(0, MAX_INTEGER))


def test_kept_keys_reserve_their_own_range():
    dialect = Counter(10, 12)
    assert SameKeys(INTEGERS).reserve(dialect, None, "t", "id", KeyRange(0, 9)) == SameKeys(INTEGERS)
    assert dialect.raised == 9


@pytest.mark.parametrize(
    ("strategy", "keys", "params"),
    [
        (OffsetKeys(INTEGERS, 40), KeyRange(-8, 60), (32, 100)),
        (OffsetKeys(INTEGERS, -40), KeyRange(MIN_INTEGER, 60), (20,)),
        (OffsetKeys(INTEGERS), KeyRange(None, 60), (60,)),
        (SameKeys(INTEGERS), KeyRange(-8, 60), (-8, 60)),
    ],
)
def test_target_rows_are_bounded_like_source_rows(strategy, keys, params):
    assert strategy.target_condition("id", keys).params == params


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_target_key_leads_back_to_its_source_key(strategy):
    assert strategy.source_key(-3 + strategy.offset) == -3


@pytest.mark.parametrize(
    ("stored", "done"), [((0, 100, 25), 0.25), ((-100, 100, -100), 0), (("a", "z", "m"), 0), (("a", "z", "z"), 1)]
)
def test_progress_is_a_part_of_the_keys(stored, done):
    assert part_done(Stored(*stored)) == done
