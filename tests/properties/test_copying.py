"""Whatever the rows, the batches and what happens meanwhile: each row is over once and equal, or rejected for cause."""

import itertools
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job, NullProgress
from compat.copying.models import CopyRun, RejectedRow
from compat.models import Device, DeviceType, PerformanceRecord
from tests import legacy
from tests.copying.test_two_databases import OLD_PARENTS
from tests.databases import connected

pytestmark = pytest.mark.slow

DEVICES = 2
KEYS = st.integers(-20, 60) | st.sampled_from([-(2**31), 1_000_000, 2**31 - 1])
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
"""What the target cannot hold when the rows come from its own kind of database: the place in the row, and the value."""
ONLY_POSTGRES = [(1, "NaN"), (3, "infinity"), (3, "-infinity"), (3, "4000-01-01 00:00:00 BC"), (3, "10000-01-01")]
CROSSING = {"sqlite": UNFIT["sqlite"], "postgresql": UNFIT["postgresql"] + ONLY_POSTGRES}
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@st.composite
def readings(draw, unfit):
    """Rows of performance_data, and the keys of those that the target cannot hold."""
    rows, bad = [], []
    for key in sorted(draw(st.sets(KEYS, max_size=30))):
        row = list(draw(GOOD))
        if draw(st.integers(0, 3)) == 0:
            place, value = draw(st.sampled_from(unfit))
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


def check(rows, bad, live=frozenset()):
    """Assert that exactly the good rows are in the target, once and equal, and exactly the bad ones were rejected."""
    assert list(RejectedRow.objects.order_by("source_pk").values_list("source_pk", flat=True)) == bad
    columns = ("pk", "device", "cpu_usage", "memory_usage", "recorded_at")
    found = PerformanceRecord.objects.exclude(pk__in=live).order_by("pk").values_list(*columns)
    good = [row for row in rows if row[0] not in bad]
    offset = found[0][0] - good[0][0] if good and found else 0
    assert [(*row, moment.replace(tzinfo=None).isoformat(" ")) for *row, moment in found] == [
        (key + offset, *values) for key, *values in good
    ]
    assert offset == 0 or live


@given(data=st.data(), live=st.integers(0, 2), options=OPTIONS)
def test_exactly_what_the_target_cannot_hold_is_rejected(fill, data, live, options):
    rows, bad = data.draw(readings(UNFIT[connection.vendor]))
    before = fill(rows, live)
    result = operations.copy_rows(Job(PERFORMANCE, **options))
    assert (result.copied, result.rejected, result.exit_code) == (len(rows) - len(bad), len(bad), 1 if bad else 0)
    check(rows, bad, before)
    assert operations.copy_rows(Job(PERFORMANCE)).status == "nothing_to_do"
    assert operations.verify(Job(PERFORMANCE)).status == "verified"


class Killed(BaseException):
    """This process is gone, as far as the run can tell."""


class StopAfter(NullProgress):
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
def test_stopped_or_killed_anywhere_each_row_is_copied_once(fill, data, live, faults, options):
    rows, bad = data.draw(readings(UNFIT[connection.vendor]))
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


@pytest.fixture
def old(migrated, vendor, request, tmp_path):
    """The alias `legacy`, connected to a database of the other kind that holds devices and no readings."""
    server = request.getfixturevalue("postgres") if vendor == "sqlite" else None
    name = server.create() if server else None
    with connected("legacy", server.url(name) if server else f"sqlite:///{tmp_path / 'old.sqlite3'}"):
        for statement in [*OLD_PARENTS, legacy.TABLE[OTHER[vendor]]]:
            legacy.execute("legacy", statement)
        yield "legacy"
    if server:
        server.drop(name)


@settings(max_examples=settings.default.max_examples // 3)  # each runs three copies
@given(data=st.data(), options=OPTIONS)
def test_values_of_another_database_arrive_equal_or_not_at_all(old, migrated, data, options):
    rows, bad = data.draw(readings(CROSSING[connections[old].vendor]))
    for model in (RejectedRow, CopyRun, PerformanceRecord, Device, DeviceType):
        model.objects.all().delete()
    legacy.execute(old, "DELETE FROM performance_data")
    for row in rows:
        legacy.execute(old, "INSERT INTO performance_data VALUES (%s, %s, %s, %s, %s)", row)
    result = operations.copy_rows(Job(PERFORMANCE, source=old, **options))
    assert (result.copied, result.rejected) == (len(rows) - len(bad), len(bad))
    check(rows, bad)
