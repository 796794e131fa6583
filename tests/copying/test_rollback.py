"""A rollback deletes exactly the unchanged rows of its runs."""

from datetime import UTC, datetime

from django.core.management.color import no_style

from compat.copying.models import RejectedRow
from compat.copying.report import summary
from compat.models import Device, PerformanceRecord, Threshold
from tests import legacy
from tests.copying.helpers import copy, dry_run, roll_back, stop_requested


def live_record():
    return PerformanceRecord.objects.create(device=Device.objects.first(), recorded_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_all_runs_are_rolled_back_and_live_rows_stay(migrated):
    legacy.build(migrated, 30)
    before = live_record()
    copy(batch_size=7)
    after = live_record()
    legacy.append(migrated, 31, 35)
    copy()
    result = roll_back(batch_size=4)
    assert (result.status, result.exit_code, result.copied) == ("rolled_back", 0, 35)
    assert set(PerformanceRecord.objects.values_list("pk", flat=True)) == {before.pk, after.pk}
    assert live_record().pk > after.pk


def test_changed_rows_are_kept_and_named(migrated):
    legacy.build(migrated, 30)
    copy()
    PerformanceRecord.objects.filter(pk__in=[4, 17]).update(bandwidth_usage=1.5)
    result = roll_back()
    assert (result.status, result.copied, result.differences["changed"]) == ("rolled_back", 28, 2)
    assert "4, 17" in result.error
    assert list(PerformanceRecord.objects.order_by("pk").values_list("pk", flat=True)) == [4, 17]


def test_copying_again_after_a_rollback_works(migrated):
    legacy.build(migrated, 30)
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id = 30")
    copy()
    roll_back()
    assert not RejectedRow.objects.filter(resolved_at=None).exists()
    again = copy()
    assert (again.status, again.copied, again.rejected) == ("completed", 29, 1)
    assert legacy.not_over(migrated) == [30]


def test_a_stopped_rollback_blocks_a_copy_and_is_resumed(migrated):
    legacy.build(migrated, 30)
    copy()
    stopped = roll_back(stop=stop_requested())
    assert (stopped.status, stopped.seconds) == ("stopped", 0)
    assert "--rollback" in stopped.error
    blocked = copy()
    assert (blocked.status, blocked.exit_code) == ("blocked", 2)
    assert "--rollback" in blocked.error
    assert dry_run().error == blocked.error
    assert roll_back().copied == 30
    assert copy().copied == 30


def test_nothing_to_roll_back(migrated):
    legacy.build(migrated, 3)
    result = roll_back()
    assert result.status == "nothing_to_do"
    assert summary(result, no_style()) == "Nothing to do."


def test_referenced_rows_are_kept_and_counted(migrated):
    legacy.build(migrated, 20)
    copy()
    table = "CREATE TABLE notes (id integer PRIMARY KEY, record_id bigint REFERENCES performance_records (id)"
    legacy.execute(migrated, f"{table} DEFERRABLE INITIALLY DEFERRED)")
    legacy.execute(migrated, "INSERT INTO notes VALUES (1, 5)")
    result = roll_back()
    assert (result.status, result.copied) == ("rolled_back", 19)
    assert "1 that other rows refer to" in result.error
    assert legacy.count(migrated) == 1


def test_a_parent_in_use_does_not_interrupt_a_rollback(migrated, migrated_url):
    legacy.build(migrated, 20)
    copy()
    Threshold.objects.create(device=Device.objects.first(), metric="cpu_usage", warning=1, critical=2)
    assert roll_back().status == "rolled_back"
    assert copy().copied == 20


def test_of_several_runs_a_job_rolls_back_only_the_newest_by_name(migrated):
    legacy.build(migrated, 20)
    first = copy().run
    legacy.append(migrated, 21, 30)
    second = copy().run
    blocked = roll_back(run_id=first)
    assert (blocked.status, blocked.error) == (
        "blocked", f"Run {second} copied rows after run {first}. Roll back run {second} first.",
    )  # fmt: skip
    assert (roll_back(run_id=second).copied, legacy.count(migrated)) == (10, 20)
    assert roll_back(run_id=second).error == f"Run {second} is already rolled back."
    assert copy(run_id=first).error == f"Run {first} is completed, so there is nothing to resume."
