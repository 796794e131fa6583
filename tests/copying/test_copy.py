"""Copying and verifying: what ends up in the target."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from compat.copies import PERFORMANCE
from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import copy_missing
from compat.models import Device, PerformanceRecord
from tests import legacy
from tests.copying.helpers import AtStep, copy, dry_run, stop_requested, verify
from tests.databases import connected, driver


@pytest.mark.parametrize("options", [{}, {"batch_size": 1}, {"batch_size": 7}, {"workers": 3}], ids=str)
def test_every_row_arrives_once_with_its_values(migrated, options):
    legacy.build(migrated, 150)
    result = copy(**options)
    assert (result.status, result.copied, result.source_rows, result.verified) == ("completed", 150, 150, True)
    assert legacy.not_over(migrated) == []
    assert legacy.count(migrated) == 150


def test_a_second_copy_finds_nothing_to_do(migrated):
    legacy.build(migrated, 20)
    copy()
    result = copy()
    assert (result.status, result.copied, result.exit_code) == ("nothing_to_do", 0, 0)


def test_an_empty_source_is_nothing_to_do(migrated):
    legacy.build(migrated, 0, devices=1)
    legacy.execute(migrated, "DELETE FROM performance_data")
    assert copy().status == "nothing_to_do"


def test_sparse_zero_and_negative_keys_are_copied(migrated):
    legacy.build(migrated, 5)
    for key in (0, -3, -1_000_000, 2_000_000_000):
        legacy.append(migrated, key, key)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1")
    assert copy(batch_size=2).copied == 9
    assert legacy.not_over(migrated) == []


def test_rows_of_one_run_share_one_instant(migrated):
    legacy.build(migrated, 30)
    copy(batch_size=4)
    instants = set(PerformanceRecord.objects.values_list("created_at", "updated_at"))
    assert len(instants) == 1
    assert len(set(instants.pop())) == 1


def test_a_target_with_rows_gets_the_copies_behind_them(migrated):
    legacy.build(migrated, 30)
    live = PerformanceRecord.objects.create(device=Device.objects.first(), recorded_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert copy().copied == 30
    assert legacy.not_over(migrated, offset=live.pk) == []
    live.refresh_from_db()
    assert live.cpu_usage is None


def test_later_inserts_get_keys_behind_the_block(migrated):
    legacy.build(migrated, 30)
    copy()
    live = PerformanceRecord.objects.create(device=Device.objects.first(), recorded_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert live.pk == 31


def test_appended_rows_are_the_next_runs(migrated):
    legacy.build(migrated, 30)
    first = copy()
    legacy.append(migrated, 31, 40)
    second = copy()
    assert (second.status, second.copied) == ("completed", 10)
    assert second.run != first.run
    assert legacy.not_over(migrated) == []
    assert verify().status == "verified"


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_legacy_text_forms_of_one_instant_become_djangos(migrated):
    legacy.build(migrated, 0)
    legacy.execute(migrated, "DELETE FROM performance_data")
    forms = {
        "2020-05-01 10:00:00": "2020-05-01 10:00:00",
        "2020-05-01 10:00:00.000000": "2020-05-01 10:00:00",
        "2020-05-01T10:00:00Z": "2020-05-01 10:00:00",
        "2020-05-01 12:00:00+02:00": "2020-05-01 10:00:00",
        "2020-05-01 10:00:00.250": "2020-05-01 10:00:00.250000",
        "2020-05-01 10:00:00.123456": "2020-05-01 10:00:00.123456",
    }
    for key, form in enumerate(forms, start=1):
        legacy.execute(migrated, "INSERT INTO performance_data VALUES (%s, 1, 0, 0, %s)", [key, form])
    assert copy().copied == len(forms)
    found = legacy.execute(migrated, "SELECT recorded_at || '' FROM performance_records ORDER BY id")
    assert [row[0] for row in found] == list(forms.values())


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2023-01-15 12:00:00", "2023-01-15 11:00:00"),
        ("2023-07-15 12:00:00", "2023-07-15 10:00:00"),
        ("2023-03-26 02:30:00", "2023-03-26 01:30:00"),  # nonexistent: clocks set forward
        ("2023-10-29 02:30:00", "2023-10-29 01:30:00"),  # ambiguous: clocks set back
    ],
)
def test_local_timestamps_are_read_in_the_legacy_zone(migrated, settings, local, instant):
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    legacy.build(migrated, 1)
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = %s", [local])
    assert copy().verified is True
    assert PerformanceRecord.objects.get().recorded_at == datetime.fromisoformat(f"{instant}+00:00")


def test_nonexistent_and_ambiguous_local_times_are_counted(migrated, settings):
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    legacy.build(migrated, 6)
    moments = ["01:59:59", "02:00:00", "02:59:59.999999", "03:00:00"]
    for key, moment in enumerate(moments, start=1):
        legacy.execute(
            migrated, "UPDATE performance_data SET timestamp = %s WHERE id = %s", [f"2023-03-26 {moment}", key]
        )
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = '2023-10-29 02:15:00' WHERE id = 5")
    result = copy()
    assert (result.verified, result.local_times) == (True, {"skipped": 2, "ambiguous": 1})


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_what_postgresql_can_hold_arrives_unchanged(migrated):
    legacy.build(migrated, 4)
    for key, (number, moment) in enumerate(
        [("NaN", "infinity"), ("-Infinity", "-infinity"), ("5e-324", "4000-01-01 BC"), ("-0.0", "294000-01-01")],
        start=1,
    ):
        legacy.execute(
            migrated, "UPDATE performance_data SET cpu_usage = %s, timestamp = %s WHERE id = %s", [number, moment, key]
        )
    assert copy().verified is True
    found = legacy.execute(
        migrated,
        "SELECT count(*) FROM performance_data d JOIN performance_records r USING (id) "
        "WHERE float8send(d.cpu_usage) = float8send(r.cpu_usage) AND d.timestamp AT TIME ZONE 'UTC' = r.recorded_at",
    )
    assert found == [(4,)]


@pytest.mark.parametrize(
    ("damage", "differences"),
    [
        ("UPDATE performance_records SET cpu_usage = cpu_usage + 1e-9 WHERE id = 7", (0, 0, 1)),
        ("UPDATE performance_records SET memory_usage = NULL WHERE id IN (6, 7)", (0, 0, 2)),
        ("UPDATE performance_records SET bandwidth_usage = 0 WHERE id = 2", (0, 0, 1)),
        ("DELETE FROM performance_records WHERE id IN (3, 4, 5)", (3, 0, 0)),
        ("DELETE FROM performance_data WHERE id = 9", (0, 1, 0)),
    ],
)
def test_verification_finds_every_difference(migrated, damage, differences):
    legacy.build(migrated, 20)
    copy()
    legacy.execute(migrated, damage)
    result = verify()
    assert (result.status, result.exit_code) == ("different", 1)
    assert result.differences == dict(zip(("missing", "extra", "changed"), differences, strict=True))


def test_rows_that_no_run_has_covered_are_missing(migrated):
    legacy.build(migrated, 20)
    assert verify().differences["missing"] == 20
    copy()
    assert verify().status == "verified"
    legacy.append(migrated, 21, 22)
    assert verify().differences["missing"] == 2
    assert "2 missing (source keys 21, 22)" in verify().error


def test_a_stop_between_batches_is_resumed(migrated):
    legacy.build(migrated, 50)
    stopped = copy(batch_size=10, stop=stop_requested())
    assert (stopped.status, stopped.exit_code, stopped.copied) == ("stopped", 3, 0)
    resumed = copy()
    assert (resumed.run, resumed.status, resumed.copied) == (stopped.run, "completed", 50)


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(migrated):
    legacy.build(migrated, 50)
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id <= 3")
    result = dry_run()
    assert (result.status, result.source_rows, result.copied, result.rejected) == ("dry_run", 50, 47, 3)
    assert [legacy.count(migrated, table) for table in ("performance_records", "compat_copyrun")] == [0, 0]


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_row_committed_late_with_a_low_key_is_copied(migrated_url, migrated):
    legacy.build(migrated, 30)
    legacy.execute(migrated, "DELETE FROM performance_data WHERE id = 11")
    late = driver.connect(migrated_url)
    late.cursor().execute("INSERT INTO performance_data VALUES (11, 1, 1, 1, '2020-01-01')")

    result = copy(batch_size=30, progress=AtStep(1, late.commit))
    late.close()
    assert (result.status, result.copied) == ("completed", 30)
    assert legacy.count(migrated) == 30


def test_a_database_that_may_only_be_read_is_named(migrated, vendor):
    legacy.build(migrated, 3)
    only_read = {"sqlite": "PRAGMA query_only = 1", "postgresql": "SET default_transaction_read_only = on"}
    legacy.execute(migrated, only_read[vendor])
    result = copy()
    assert (result.status, result.exit_code) == ("blocked", 2)
    assert "'default' is read-only here" in result.error


def test_an_unknown_time_zone_is_refused_before_the_first_row(migrated, settings):
    settings.LEGACY_TIME_ZONE = "Europe/Berln"
    legacy.build(migrated, 3)
    result = copy()
    assert (result.status, result.run) == ("blocked", None)
    assert "There is no time zone 'Europe/Berln'" in result.error


def test_a_missing_legacy_table_is_not_promised_to_be_created(migrated):
    result = copy()
    assert result.status == "blocked"
    assert "--fix" not in result.error


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_mistyped_file_is_named_and_not_created(migrated, tmp_path):
    with connected("elsewhere", f"sqlite:///{tmp_path / 'absent.sqlite3'}"):
        result = dry_run(source="elsewhere")
    assert result.status == "blocked"
    assert "absent.sqlite3, which does not exist" in result.error
    assert list(tmp_path.glob("absent*")) == []


def test_rows_below_the_keys_of_the_first_run_are_copied(migrated):
    legacy.build(migrated, 10)
    copy()
    legacy.append(migrated, -2, 0)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 WHERE id < 1")
    assert verify().differences["missing"] == 3
    assert copy().copied == 3
    assert verify().status == "verified"


def test_a_row_inside_a_completed_run_is_copied_after_verification(migrated):
    legacy.build(migrated, 10)
    legacy.execute(migrated, "DELETE FROM performance_data WHERE id = 4")
    copy()
    legacy.append(migrated, 4, 4)
    assert verify().differences["missing"] == 1
    assert copy().status == "completed"
    assert legacy.not_over(migrated) == []


def test_copying_late_rows_twice_writes_them_once(migrated):
    legacy.build(migrated, 20)
    copy()
    run = CopyRun.objects.get()
    written = copy_missing(run, CopyRange.objects.get(), Job(PERFORMANCE).statements(run), (3, 4))
    assert (written.copied, written.rejected) == (0, ())


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize(
    ("damage", "named"),
    [("RENAME COLUMN bandwidth_usage TO spare", "bandwidth_usage"), ("ADD COLUMN extra integer NOT NULL", "extra")],
)
def test_a_target_that_cannot_take_a_row_is_refused_at_once(migrated, damage, named):
    legacy.build(migrated, 5)
    legacy.execute(migrated, f"ALTER TABLE performance_records {damage}")
    result = copy()
    assert (result.status, result.exit_code) == ("blocked", 2)
    assert named in result.error


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_read_only_role_learns_which_privileges_a_copy_needs(migrated):
    legacy.build(migrated, 20)
    name = f"reader_{connection.settings_dict['NAME']}"
    legacy.execute(migrated, f"CREATE ROLE {name}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    legacy.execute(migrated, f"SET ROLE {name}")
    results = [copy(), dry_run()]
    legacy.execute(migrated, f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")
    assert {(result.status, result.exit_code) for result in results} == {("blocked", 2)}
    assert all("SELECT, INSERT, UPDATE and DELETE" in result.error for result in results)
