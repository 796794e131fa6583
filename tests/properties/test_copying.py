"""Whatever the rows, the batches and what happens meanwhile: each row is over once and equal, or rejected for cause."""

import itertools
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job, Silence
from compat.copying.models import CopyRun, RejectedRow
from compat.models import Device, PerformanceRecord
from tests import legacy

DEVICES = 3
KEYS = st.integers(-20, 60) | st.sampled_from([-2_000_000_000, 1_000_000, 2_000_000_000])
NUMBERS = st.none() | st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1]) | st.floats(-1e9, 1e9)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001  naive, as of old
    lambda moment: moment.replace(microsecond=0).isoformat(" ")
)
GOOD = st.tuples(st.integers(1, DEVICES), NUMBERS, NUMBERS, MOMENTS)
UNFIT = {
    "sqlite": [(0, "x"), (0, 99), (1, "n/a"), (1, b"\x00"), (2, "1,5"), (3, None), (3, "soon"), (3, 1500000000),
               (3, "2023-02-30 10:00:00"), (3, "2023-02-28 24:00:00"), (3, "")],
    "postgresql": [(0, 99), (3, None)],
}  # fmt: skip


@st.composite
def readings(draw):
    """Rows of performance_data, and the keys of those that the target cannot hold."""
    rows, bad = [], []
    for key in sorted(draw(st.sets(KEYS, max_size=30))):
        row = list(draw(GOOD))
        if draw(st.integers(0, 3)) == 0:
            place, value = draw(st.sampled_from(UNFIT[connection.vendor]))
            row[place] = value
            bad.append(key)
        rows.append((key, *row))
    return rows, bad


OPTIONS = st.fixed_dictionaries({
    "batch_size": st.none() | st.integers(1, 12),
    "workers": st.sampled_from([1, 1, 3]),
    "defer_indexes": st.sampled_from(["auto", "always", "never"]),
})  # fmt: skip


@pytest.fixture
def fill(migrated):
    """Return a function that leaves rows in performance_data, some live rows in the target, and nothing else."""
    legacy.build(migrated, 0, DEVICES)

    def put(rows, live):
        CopyRun.objects.all().delete()
        PerformanceRecord.objects.all().delete()
        legacy.execute(migrated, "DELETE FROM performance_data")
        for row in rows:
            legacy.execute(migrated, "INSERT INTO performance_data VALUES (%s, %s, %s, %s, %s)", row)
        for _ in range(live):
            PerformanceRecord.objects.create(
                device=Device.objects.first(), recorded_at=datetime(2020, 1, 1, tzinfo=UTC)
            )
        return set(PerformanceRecord.objects.values_list("pk", flat=True))

    return put


def check(rows, bad, live):
    """Assert by SQL of our own that exactly the good rows are over and exactly the bad ones are rejected."""
    assert list(RejectedRow.objects.order_by("source_pk").values_list("source_pk", flat=True)) == bad
    over = {key for (key,) in legacy.execute("default", "SELECT id FROM performance_records")} - live
    good = sorted({key for key, *_ in rows} - set(bad))
    assert len(over) == len(good)
    offset = min(over) - good[0] if good else 0
    assert legacy.not_over("default", offset) == bad
    assert offset == 0 or live


@given(data=st.data(), live=st.integers(0, 2), options=OPTIONS)
def test_exactly_what_the_target_cannot_hold_is_rejected(fill, data, live, options):
    rows, bad = data.draw(readings())
    before = fill(rows, live)
    result = operations.copy_rows(Job(PERFORMANCE, **options))
    assert (result.copied, result.rejected, result.exit_code) == (len(rows) - len(bad), len(bad), 1 if bad else 0)
    check(rows, bad, before)
    assert operations.copy_rows(Job(PERFORMANCE)).status == "nothing_to_do"
    assert operations.verify(Job(PERFORMANCE)).status == "verified"


class Killed(BaseException):
    """This process is gone, as far as the run can tell."""


class StopAfter(Silence):
    """Asks for a stop at a batch border."""

    def __init__(self, job_options, batches):
        self.left = itertools.count(batches - 1, -1)
        self.job = Job(PERFORMANCE, **job_options, progress=self)

    def advance(self, rows, note=""):
        if next(self.left) <= 0:
            self.job.stop.request("the test asks for it")


def killed_at(number):
    """Return a wrapper of statements that lets `number` of them through."""
    left = itertools.count(number, -1)

    def wrapper(execute, sql, parameters, many, context):
        if next(left) <= 0:
            raise Killed
        return execute(sql, parameters, many, context)

    return wrapper


FAULTS = st.lists(st.tuples(st.sampled_from(["stop", "kill"]), st.integers(1, 120), OPTIONS), max_size=4)


@given(data=st.data(), live=st.integers(0, 2), faults=FAULTS, options=OPTIONS)
def test_stopped_and_killed_anywhere_each_row_is_over_once(fill, data, live, faults, options):
    rows, bad = data.draw(readings())
    before = fill(rows, live)
    for fault, moment, its in faults:
        if fault == "stop":
            operations.copy_rows(StopAfter(its, moment % 6 + 1).job)
            continue
        with suppress(Killed), connections["default"].execute_wrapper(killed_at(moment)):
            operations.copy_rows(Job(PERFORMANCE, **its))
        CopyRun.objects.exclude(owner="").update(owner="gone", lease_expires_at=timezone.now() - timedelta(seconds=1))
    operations.copy_rows(Job(PERFORMANCE, **options))
    check(rows, bad, before)
