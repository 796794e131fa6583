"""Rows that the target cannot hold go to the rejects, and only they."""

from functools import partial

import pytest

from compat.copying.models import RejectedRow
from compat.database.stop import Stop
from compat.models import Device
from tests import legacy
from tests.copying.helpers import AtStep, copy, dry_run, retry, roll_back, stop_requested, verify

ORPHAN = "UPDATE performance_data SET device_id = 999 WHERE id {}"
UNDATED = "UPDATE performance_data SET timestamp = NULL WHERE id {}"
SQLITE = "UPDATE performance_data SET {} WHERE id {{}}"
BAD_ROWS = [
    ("sqlite", UNDATED, "recorded_at is empty, but a value is required"),
    ("postgresql", UNDATED, "recorded_at is empty, but a value is required"),
    ("sqlite", ORPHAN, "device_id refers to a row that is not in devices"),
    ("postgresql", ORPHAN, "device_id refers to a row that is not in devices"),
    ("sqlite", SQLITE.format("cpu_usage = 'n/a'"), "cpu_usage is not a number"),
    ("sqlite", SQLITE.format("memory_usage = x'00ff'"), "memory_usage is not a number"),
    ("sqlite", SQLITE.format("timestamp = '2023-02-30 10:00:00'"), "recorded_at is not a date and time"),
    ("sqlite", SQLITE.format("timestamp = '2023-02-28 24:00:00'"), "recorded_at is not a date and time"),
    ("sqlite", SQLITE.format("timestamp = 'yesterday'"), "recorded_at is not a date and time"),
    ("sqlite", SQLITE.format("timestamp = 1500000000"), "recorded_at is not a date and time"),
    ("sqlite", SQLITE.format("device_id = 'x'"), "device_id is not an integer"),
]


@pytest.mark.parametrize(("vendor", "damage", "reason"), BAD_ROWS, ids=range(len(BAD_ROWS)))
@pytest.mark.parametrize("which", ["= 13", "% 2 = 0"], ids=["one", "half"])
def test_a_bad_row_is_rejected_with_its_reason_and_values(migrated, damage, reason, which):
    legacy.build(migrated, 40)
    legacy.execute(migrated, damage.format(which))
    bad = [13] if which == "= 13" else list(range(2, 41, 2))
    result = copy(batch_size=15)
    assert (result.status, result.exit_code, result.verified) == ("completed", 1, True)
    assert (result.copied, result.rejected, result.source_rows) == (40 - len(bad), len(bad), 40)
    rejects = RejectedRow.objects.order_by("source_pk")
    assert [row.source_pk for row in rejects] == bad
    assert all(reason in row.reason for row in rejects)
    assert rejects[0].payload["id"] == bad[0]
    assert set(rejects[0].payload) == {"id", "device_id", "cpu_usage", "memory_usage", "timestamp"}
    assert legacy.count(migrated) == 40 - len(bad)


def test_a_refusal_of_an_unknown_constraint_is_bisected_to_the_row(migrated):
    legacy.build(migrated, 60)
    legacy.execute(migrated, "CREATE UNIQUE INDEX one_of_each ON performance_records (cpu_usage)")
    legacy.execute(migrated, "UPDATE performance_data SET cpu_usage = id")
    legacy.execute(migrated, "UPDATE performance_data SET cpu_usage = 5 WHERE id IN (31, 47)")
    result = copy(batch_size=50)
    assert (result.copied, result.rejected) == (58, 2)
    rejects = RejectedRow.objects.order_by("source_pk")
    assert [row.source_pk for row in rejects] == [31, 47]
    assert "unique" in rejects[0].reason.lower()


def test_corrected_rejects_are_copied_with_their_reserved_keys(migrated):
    legacy.build(migrated, 40)
    legacy.execute(migrated, ORPHAN.format("IN (7, 8)"))
    legacy.execute(migrated, UNDATED.format("= 9"))
    assert copy().rejected == 3
    Device(pk=999, name="late", ip_address="10.9.9.9").save()
    result = retry()
    assert (result.status, result.exit_code, result.rejected, result.copied) == ("completed", 1, 1, 39)
    assert legacy.not_over(migrated) == [9]
    moment = legacy.execute(migrated, "SELECT timestamp FROM performance_data WHERE id = 1")[0][0]
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = %s WHERE id = 9", [moment])
    result = retry()
    assert (result.status, result.exit_code, result.rejected, result.verified) == ("completed", 0, 0, True)
    assert legacy.not_over(migrated) == []
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


def test_retrying_without_rejects_is_nothing_to_do(migrated):
    legacy.build(migrated, 10)
    copy()
    assert retry().status == "nothing_to_do"


def test_an_interrupted_retry_is_resumed(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 8)")
    copy()
    Device(pk=999, name="late", ip_address="10.9.9.9").save()
    stop = Stop()
    assert retry(stop=stop, progress=AtStep(1, partial(stop.request, "the test asks for it"))).status == "stopped"
    assert retry().status in {"completed", "nothing_to_do"}
    assert copy().status in {"completed", "nothing_to_do"}
    assert legacy.not_over(migrated) == []
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


def test_rejects_are_not_retried_while_a_later_run_is_open(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    copy()
    legacy.append(migrated, 21, 40)
    copy(stop=stop_requested())
    blocked = retry()
    assert (blocked.status, blocked.exit_code) == ("blocked", 2)
    assert "Complete it or roll it back first" in blocked.error


def test_a_rejected_row_that_left_the_source_is_resolved(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    copy()
    legacy.execute(migrated, "DELETE FROM performance_data WHERE id = 7")
    assert retry().exit_code == 0
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_text_that_is_not_utf8_is_rejected_with_its_values(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET cpu_usage = CAST(x'4bf66c6e' AS TEXT) WHERE id = 3")
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = CAST(x'4bf66c6e' AS TEXT) WHERE id = 4")
    result = copy()
    assert (result.status, result.copied, result.rejected) == ("completed", 18, 2)
    assert RejectedRow.objects.get(source_pk=3).payload["cpu_usage"] == "K\ufffdln"


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_what_a_trigger_refuses_is_rejected(migrated):
    legacy.build(migrated, 20)
    legacy.execute(
        migrated,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 7 THEN "
        "RAISE EXCEPTION 'no sevens'; END IF; RETURN NEW; END $$; CREATE TRIGGER refuse BEFORE INSERT "
        "ON performance_records FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    assert (copy().copied, RejectedRow.objects.get().source_pk) == (19, 7)
    assert "no sevens" in RejectedRow.objects.get().reason


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_timestamp_that_a_zone_moves_out_of_range_is_rejected(migrated, settings):
    settings.LEGACY_TIME_ZONE = "America/New_York"
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = '294276-12-31 23:00:00' WHERE id = 7")
    assert (copy().copied, RejectedRow.objects.get().source_pk) == (19, 7)
    assert verify().status == "verified"
    assert dry_run().status == "dry_run"
    assert roll_back().copied == 19
