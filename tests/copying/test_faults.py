"""Faults that a campaign found once: each stays mended."""

import itertools
import os
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.errors import LeaseLost
from compat.copying.job import Job, NullProgress
from compat.copying.models import CopyRange, CopyRun, RejectedRow
from compat.copying.rows.batches import copy_missing
from compat.copying.runner import deferred_indexes
from compat.copying.runs import store
from compat.copying.runs.lease_holder import holder_identity, is_dead
from compat.models import Device, Threshold
from tests import legacy

sqlite = pytest.mark.parametrize("vendor", ["sqlite"])
ORPHAN = "INSERT INTO performance_records (device_id, recorded_at) VALUES (999, now())"
VALIDATED = "SELECT convalidated FROM pg_constraint WHERE conrelid = 'performance_records'::regclass AND contype = 'f'"
postgresql = pytest.mark.parametrize("vendor", ["postgresql"])


def copy(**options):
    return operations.copy_rows(Job(PERFORMANCE, **options))


def roll_back(**options):
    return operations.roll_back(Job(PERFORMANCE, **options))


class StopAfter(NullProgress):
    """Asks for a stop after some steps."""

    def __init__(self, steps):
        self.steps = itertools.count(1 - steps)

    def attach(self, job):
        self.job = job
        return job

    def advance(self, rows, note=""):
        if next(self.steps) >= 0:
            self.job.stop.request("the test asks for it")


def test_rows_below_the_first_runs_keys_come_over(migrated):
    legacy.build(migrated, 10)
    copy()
    legacy.append(migrated, -2, 0)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 WHERE id < 1")
    assert operations.verify(Job(PERFORMANCE)).differences["missing"] == 3
    assert copy().copied == 3
    assert operations.verify(Job(PERFORMANCE)).status == "verified"


def test_a_row_that_appears_inside_a_completed_run_comes_over_once_verification_saw_it(migrated):
    legacy.build(migrated, 10)
    legacy.execute(migrated, "DELETE FROM performance_data WHERE id = 4")
    copy()
    legacy.append(migrated, 4, 4)
    assert operations.verify(Job(PERFORMANCE)).differences["missing"] == 1
    assert copy().status == "completed"
    assert legacy.not_over(migrated) == []


def test_an_interrupted_retry_of_rejects_is_resumed(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 8)")
    copy()
    Device(pk=999, name="late", ip_address="10.9.9.9").save()
    stopping = StopAfter(1)
    stopped = operations.retry_rejected(stopping.attach(Job(PERFORMANCE, progress=stopping)))
    assert stopped.status == "stopped"
    assert operations.retry_rejected(Job(PERFORMANCE)).status in {"completed", "nothing_to_do"}
    assert copy().status in {"completed", "nothing_to_do"}
    assert legacy.not_over(migrated) == []
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


def test_rejects_are_not_retried_while_a_later_run_is_open(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    copy()
    legacy.append(migrated, 21, 40)
    job = Job(PERFORMANCE)
    job.stop.request("the test asks for it")
    operations.copy_rows(job)
    blocked = operations.retry_rejected(Job(PERFORMANCE))
    assert (blocked.status, blocked.exit_code) == ("blocked", 2)
    assert "Bring it to its end first" in blocked.error


def test_a_rejected_row_that_left_the_source_is_settled(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    copy()
    legacy.execute(migrated, "DELETE FROM performance_data WHERE id = 7")
    assert operations.retry_rejected(Job(PERFORMANCE)).exit_code == 0
    assert not RejectedRow.objects.filter(resolved_at=None).exists()


def test_copying_late_rows_twice_writes_them_once(migrated):
    legacy.build(migrated, 20)
    copy()
    run = CopyRun.objects.get()
    written = copy_missing(run, CopyRange.objects.get(), Job(PERFORMANCE).statements(run), (3, 4))
    assert (written.copied, written.rejected) == (0, ())


def test_rows_that_others_refer_to_are_kept_and_counted(migrated):
    legacy.build(migrated, 20)
    copy()
    table = "CREATE TABLE notes (id integer PRIMARY KEY, record_id bigint REFERENCES performance_records (id)"
    legacy.execute(migrated, f"{table} DEFERRABLE INITIALLY DEFERRED)")
    legacy.execute(migrated, "INSERT INTO notes VALUES (1, 5)")
    result = roll_back()
    assert (result.status, result.copied) == ("rolled_back", 19)
    assert "1 that other rows refer to" in result.error
    assert legacy.count(migrated) == 1


def test_a_parent_in_use_does_not_leave_a_rollback_half_done(migrated, migrated_url):
    legacy.build(migrated, 20)
    copy()
    Threshold.objects.create(device=Device.objects.first(), metric="cpu_usage", warning=1, critical=2)
    assert roll_back().status == "rolled_back"
    assert copy().copied == 20


def test_an_owner_that_lost_its_lease_sets_nothing_aside(migrated):
    legacy.build(migrated, 20)
    former = store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(owner="elsewhere", lease_expires_at=timezone.now() - timedelta(seconds=1))
    copy()
    with pytest.raises(LeaseLost):
        deferred_indexes.defer(Job(PERFORMANCE), former)
    assert CopyRun.objects.get().deferred_indexes == []


@postgresql
@pytest.mark.parametrize(
    ("damage", "named"),
    [("RENAME COLUMN bandwidth_usage TO spare", "bandwidth_usage"), ("ADD COLUMN extra integer NOT NULL", "extra")],
)
def test_a_target_that_cannot_take_a_row_is_explained_before_the_first(migrated, damage, named):
    legacy.build(migrated, 5)
    legacy.execute(migrated, f"ALTER TABLE performance_records {damage}")
    result = copy()
    assert (result.status, result.exit_code) == ("blocked", 2)
    assert named in result.error


def test_only_a_process_that_is_surely_gone_is_taken_over_before_its_lease_expires():
    host, place, pid, started = holder_identity().split("/")
    assert not is_dead(holder_identity())
    assert is_dead(f"{host}/{place}/{pid}/{int(started) - 1}")
    assert is_dead(f"{host}/{place}/{2**22 + 1}/{started}")
    assert not is_dead(f"{host}/another-container/{pid}/{started}")
    assert not is_dead(f"other-host/{place}/{os.getpid()}/1")


@sqlite
def test_text_that_is_no_utf8_is_rejected_with_its_values(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET cpu_usage = CAST(x'4bf66c6e' AS TEXT) WHERE id = 3")
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = CAST(x'4bf66c6e' AS TEXT) WHERE id = 4")
    result = copy()
    assert (result.status, result.copied, result.rejected) == ("completed", 18, 2)
    assert RejectedRow.objects.get(source_pk=3).payload["cpu_usage"] == "K\ufffdln"


@postgresql
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


@postgresql
def test_an_orphan_inserted_while_the_foreign_key_is_aside_is_told_and_stops_nothing(migrated, migrated_url):
    name = connection.settings_dict["NAME"]
    legacy.execute(migrated, f"ALTER DATABASE {name} SET session_replication_role = local")  # a copy keeps off it
    connection.close()
    legacy.build(migrated, 20)

    class InsertsAnOrphan(NullProgress):
        done = False

        def advance(self, rows, note=""):
            if not self.done:
                self.done = True
                with psycopg2.connect(migrated_url) as other:
                    other.cursor().execute(
                        "INSERT INTO performance_records (device_id, recorded_at) VALUES (999, now())"
                    )
                other.close()

    result = copy(defer_indexes="always", progress=InsertsAnOrphan())
    assert (result.status, result.exit_code, result.verified) == ("completed", 1, True)
    assert "verify_structure" in result.error
    assert legacy.execute(migrated, VALIDATED) == [(False,)]
    assert roll_back().status == "rolled_back"


@postgresql
def test_a_timestamp_that_a_zone_moves_out_of_range_is_rejected(migrated, settings):
    settings.LEGACY_TIME_ZONE = "America/New_York"
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = '294276-12-31 23:00:00' WHERE id = 7")
    assert (copy().copied, RejectedRow.objects.get().source_pk) == (19, 7)
    assert operations.verify(Job(PERFORMANCE)).status == "verified"
    assert operations.dry_run(Job(PERFORMANCE)).status == "dry_run"
    assert roll_back().copied == 19


@postgresql
def test_a_role_that_may_only_read_is_told_which_rights_a_copy_takes(migrated):
    legacy.build(migrated, 20)
    name = f"reader_{connection.settings_dict['NAME']}"
    legacy.execute(migrated, f"CREATE ROLE {name}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    legacy.execute(migrated, f"SET ROLE {name}")
    results = [operation(Job(PERFORMANCE)) for operation in (operations.copy_rows, operations.dry_run)]
    legacy.execute(migrated, f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")
    assert {(result.status, result.exit_code) for result in results} == {("blocked", 2)}
    assert all("SELECT, INSERT, UPDATE and DELETE" in result.error for result in results)
