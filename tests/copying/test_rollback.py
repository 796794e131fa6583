"""Rolling back takes exactly the run's unchanged rows."""

from datetime import UTC, datetime

from django.core.management.color import no_style

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job
from compat.copying.models import RejectedRow
from compat.copying.report import summary
from compat.models import Device, PerformanceRecord
from tests import legacy


def copy(**options):
    return operations.copy_rows(Job(PERFORMANCE, **options))


def roll_back(**options):
    return operations.roll_back(Job(PERFORMANCE, **options))


def live_record():
    return PerformanceRecord.objects.create(device=Device.objects.first(), recorded_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_all_runs_are_taken_back_and_live_rows_stay(migrated):
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
    job = Job(PERFORMANCE)
    job.stop.request("the test asks for it")
    stopped = operations.roll_back(job)
    assert (stopped.status, stopped.seconds) == ("stopped", 0)
    assert "--rollback" in stopped.error
    blocked = copy()
    assert (blocked.status, blocked.exit_code) == ("blocked", 2)
    assert "--rollback" in blocked.error
    assert operations.dry_run(Job(PERFORMANCE)).error == blocked.error
    assert roll_back().copied == 30
    assert copy().copied == 30


def test_nothing_to_roll_back(migrated):
    legacy.build(migrated, 3)
    result = roll_back()
    assert result.status == "nothing_to_do"
    assert summary(result, no_style()) == "Nothing to do."
