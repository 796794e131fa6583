"""The target's foreign keys hold, whether the server checks them row by row or a copy for many rows at once."""

import threading
from contextlib import closing

import pytest
from django.db import connection

from compat.copying import operations
from compat.copying.job import Job, NullProgress
from compat.copying.models import RejectedRow
from tests import legacy
from tests.copying.helpers import AtStep, copy, roll_back
from tests.copying.lab import SAMPLES, OldSample, Sample, Site, create
from tests.databases import driver

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])
ORPHANS = (
    "SELECT count(*) FROM performance_records r WHERE NOT EXISTS (SELECT 1 FROM devices d WHERE d.id = r.device_id)"
)
VALIDATED = "SELECT convalidated FROM pg_constraint WHERE conrelid = 'performance_records'::regclass AND contype = 'f'"
INSERT = "INSERT INTO performance_records (device_id, recorded_at) VALUES (999, now())"


@pytest.fixture(params=["at once", "by the server"])
def checks(request, migrated):
    """How foreign keys are checked; a session in the role `local` behaves as any other, and a copy keeps off it."""
    if request.param == "by the server":
        name = connection.settings_dict["NAME"]
        legacy.execute(migrated, f"ALTER DATABASE {name} SET session_replication_role = local")
        connection.close()
    return request.param


@pytest.mark.parametrize("defer", ["never", "always"])
def test_rows_without_a_device_are_rejected_and_the_key_holds(migrated, checks, defer):
    legacy.build(migrated, 100)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 50)")
    result = copy(batch_size=20, defer_indexes=defer)
    assert (result.status, result.copied, result.verified) == ("completed", 98, True)
    assert [row.source_pk for row in RejectedRow.objects.order_by("source_pk")] == [7, 50]
    assert legacy.not_over(migrated) == [7, 50]
    assert legacy.execute(migrated, VALIDATED) == [(True,)]


def test_devices_deleted_during_a_copy_leave_no_orphan(migrated, migrated_url, checks):
    legacy.build(migrated, 3000, devices=100)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 + id / 31")
    deleted = []

    def delete():
        with closing(driver.connect(migrated_url)) as other:
            other.autocommit = True
            for device in range(100, 20, -1):
                try:
                    other.cursor().execute("DELETE FROM devices WHERE id = %s", (device,))
                except driver.IntegrityError:
                    continue
                deleted.append(device)

    thread = threading.Thread(target=delete)
    result = copy(batch_size=50, workers=2, defer_indexes="never", progress=AtStep(1, thread.start))
    thread.join()
    assert deleted
    assert legacy.execute(migrated, ORPHANS) == [(0,)]
    assert legacy.count(migrated) + RejectedRow.objects.count() == 3000
    assert result.copied == legacy.count(migrated)


@pytest.mark.parametrize("checks", ["by the server"], indirect=True)
def test_rows_that_lose_their_device_while_the_key_is_deferred_are_rejected(migrated, migrated_url, checks):
    legacy.build(migrated, 100)

    def delete():
        with driver.connect(migrated_url) as other:
            other.cursor().execute("DELETE FROM devices WHERE id = 3")
        other.close()

    result = copy(batch_size=20, defer_indexes="always", progress=AtStep(1, delete))
    assert (result.status, result.copied, result.rejected, result.verified) == ("completed", 90, 10, True)
    assert [row.source_pk for row in RejectedRow.objects.order_by("source_pk")] == list(range(2, 101, 10))
    assert legacy.execute(migrated, ORPHANS) == [(0,)]
    assert legacy.execute(migrated, VALIDATED) == [(True,)]
    assert roll_back().copied == 90


def test_a_device_whose_deletion_is_open_is_waited_for(migrated, migrated_url, checks):
    legacy.build(migrated, 100)
    with driver.connect(migrated_url) as other:
        other.cursor().execute("DELETE FROM devices WHERE id = 3")
        threading.Timer(1.2, other.commit).start()
        result = copy(defer_indexes="never")
    other.close()
    assert (result.status, result.copied, result.rejected) == ("completed", 90, 10)
    assert legacy.execute(migrated, ORPHANS) == [(0,)]


def test_a_device_that_no_reading_refers_to_may_be_held(migrated, migrated_url, checks):
    legacy.build(migrated, 2000)
    legacy.execute(migrated, "INSERT INTO devices (name, ip_address) VALUES ('unused', '10.9.9.9')")
    with closing(driver.connect(migrated_url)) as other:
        other.cursor().execute("SELECT 1 FROM devices WHERE name = 'unused' FOR UPDATE")
        assert copy(batch_size=2000, defer_indexes="never").status == "completed"


def test_a_row_that_a_drifted_target_takes_is_not_also_rejected(migrated, checks):
    legacy.build(migrated, 40)
    legacy.execute(migrated, "ALTER TABLE performance_records ALTER recorded_at DROP NOT NULL; "
                             "UPDATE performance_data SET timestamp = NULL WHERE id = 7; "
                             "UPDATE performance_data SET device_id = 999 WHERE id = 8")  # fmt: skip
    copy(batch_size=40, defer_indexes="never")
    rejected = set(RejectedRow.objects.values_list("source_pk", flat=True))
    over = {key for (key,) in legacy.execute(migrated, "SELECT id FROM performance_records")}
    assert (rejected | over, rejected & over) == (set(range(1, 41)), set())


def test_rows_of_others_are_checked_while_indexes_are_deferred(migrated, migrated_url):
    refused = []

    def insert():
        with driver.connect(migrated_url) as other:
            other.cursor().execute(INSERT)
            try:
                other.commit()
            except driver.IntegrityError as error:
                refused.append(error)
        other.close()

    legacy.build(migrated, 100)
    result = copy(batch_size=20, defer_indexes="always", progress=AtStep(1, insert))
    assert (result.status, result.exit_code, len(refused)) == ("completed", 0, 1)


@pytest.mark.parametrize(
    ("statements", "check"),
    [
        (
            "CREATE TABLE seen (id bigint); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$; "
            "CREATE TRIGGER see AFTER INSERT ON performance_records FOR EACH ROW EXECUTE FUNCTION see()",
            "SELECT count(*) = 40 FROM seen",
        ),
        (
            "CREATE TABLE seen (id bigint); CREATE RULE see AS ON INSERT TO performance_records "
            "DO ALSO INSERT INTO seen VALUES (NEW.id)",
            "SELECT count(*) = 40 FROM seen",
        ),
        (
            "CREATE TABLE sites (id integer PRIMARY KEY); "
            "ALTER TABLE performance_records ADD site integer DEFAULT 7 REFERENCES sites",
            "SELECT count(*) = 0 FROM performance_records",
        ),
        (
            "CREATE TABLE pairs (device_id bigint, id bigint, PRIMARY KEY (device_id, id)); "
            "ALTER TABLE performance_records ADD FOREIGN KEY (device_id, id) REFERENCES pairs",
            "SELECT count(*) = 0 FROM performance_records",
        ),
        (
            "ALTER TABLE performance_records ADD UNIQUE (device_id) DEFERRABLE INITIALLY DEFERRED",
            "SELECT count(*) = 10 FROM performance_records",
        ),
        (
            "CREATE TABLE spares () INHERITS (devices); INSERT INTO spares (id, name, ip_address) "
            "VALUES (77, 'spare', '10.7.7.7'); UPDATE performance_data SET device_id = 77 WHERE id = 5",
            "SELECT count(*) = 39 FROM performance_records",
        ),
    ],
    ids=["trigger", "rule", "other key", "two columns", "deferred unique", "inherited parent"],
)
def test_everything_else_that_an_insert_fires_is_fired(migrated, statements, check):
    legacy.build(migrated, 40)
    legacy.execute(migrated, statements)
    assert copy(batch_size=20, defer_indexes="never").status == "completed"
    assert legacy.execute(migrated, check) == [(True,)]


@pytest.mark.parametrize("granted", [False, True])
def test_an_ordinary_role_copies_with_and_without_the_right(migrated, granted):
    legacy.build(migrated, 100)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    name = f"copier_{connection.settings_dict['NAME']}"
    legacy.execute(migrated, f"CREATE ROLE {name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}; "
                             f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}")  # fmt: skip
    if granted and connection.pg_version >= 150000:
        legacy.execute(migrated, f"GRANT SET ON PARAMETER session_replication_role TO {name}")
    legacy.execute(migrated, f"SET ROLE {name}")
    result = copy(batch_size=20)
    legacy.execute(migrated, f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")
    assert (result.status, result.copied, result.rejected) == ("completed", 99, 1)
    assert legacy.not_over(migrated) == [7]


def test_a_row_that_a_drifted_target_takes_is_copied(migrated, checks):
    legacy.build(migrated, 40)
    legacy.execute(migrated, "ALTER TABLE performance_records ALTER recorded_at DROP NOT NULL")
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id = 7")
    result = copy(batch_size=40, defer_indexes="never")
    assert (result.copied, result.rejected) == (40, 0)


def test_a_trigger_that_skips_a_row_causes_no_reject_of_another(migrated):
    legacy.build(migrated, 40)
    legacy.execute(migrated, "ALTER TABLE performance_records ALTER recorded_at DROP NOT NULL; "
                             "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
                             "CREATE TRIGGER skip BEFORE INSERT ON performance_records FOR EACH ROW "
                             "WHEN (NEW.id = 8) EXECUTE FUNCTION skip()")  # fmt: skip
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id = 7")
    result = copy(batch_size=40, defer_indexes="never")
    assert (result.copied, result.rejected, legacy.count(migrated)) == (39, 0, 39)


@pytest.fixture
def samples(migrated):
    """The tables of samples, whose reference to a site is optional, and 10 sites."""
    create(migrated, [OldSample, Site, Sample])
    Site.objects.bulk_create([Site(name=number) for number in range(10)])
    return migrated


def test_an_optional_reference_is_empty_or_holds(samples, checks):
    OldSample.objects.bulk_create([OldSample(site_id=1 + number % 10) for number in range(40)])
    legacy.execute(samples, "UPDATE lab_oldsample SET site_id = nullif(999, 990 + id) WHERE id IN (8, 9)")
    result = operations.copy_rows(Job(SAMPLES, batch_size=20, defer_indexes="never"))
    assert (result.copied, result.rejected, result.verified) == (39, 1, True)
    assert list(Sample.objects.filter(site=None).values_list("pk", flat=True)) == [9]


def test_an_optional_reference_to_many_parents_takes_no_loop(samples):
    legacy.execute(samples, "INSERT INTO lab_site (name) SELECT n FROM generate_series(11, 60000) n; "
                            "INSERT INTO lab_oldsample (site_id) SELECT n FROM generate_series(1, 50000) n; "
                            "ANALYZE")  # fmt: skip
    name = connection.settings_dict["NAME"]
    legacy.execute(samples, f"ALTER DATABASE {name} SET work_mem = '256kB'")
    legacy.execute(samples, f"ALTER DATABASE {name} SET statement_timeout = '10s'")
    connection.close()
    assert operations.copy_rows(Job(SAMPLES, batch_size=50000, defer_indexes="never")).copied == 50000


def test_a_table_that_takes_the_name_of_the_parents_is_not_used(migrated, migrated_url, checks):
    legacy.build(migrated, 40)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 30")
    with closing(driver.connect(migrated_url)) as other:

        def swap():
            other.cursor().execute(
                "ALTER TABLE devices RENAME TO former; CREATE TABLE devices AS SELECT * FROM former; "
                "INSERT INTO devices (id) VALUES (999); ALTER TABLE devices ADD PRIMARY KEY (id)"
            )
            threading.Timer(0.5, other.commit).start()

        result = copy(batch_size=20, defer_indexes="never", progress=AtStep(1, swap))
    assert (result.copied, result.rejected) == (39, 1)
    assert legacy.execute(migrated, ORPHANS.replace("FROM devices", "FROM former")) == [(0,)]


def test_a_partition_that_gets_no_row_may_be_locked(migrated, migrated_url):
    legacy.build(migrated, 40)
    legacy.execute(
        migrated,
        "ALTER TABLE performance_records RENAME TO former; CREATE TABLE performance_records "
        "(LIKE former INCLUDING IDENTITY, PRIMARY KEY (id), FOREIGN KEY (device_id) REFERENCES devices) "
        "PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF performance_records FOR VALUES FROM (0) TO (1000); "
        "CREATE TABLE high PARTITION OF performance_records FOR VALUES FROM (1000) TO (2000)",
    )

    class Locks(NullProgress):
        """Holds a lock during the second batch."""

        def advance(self, rows, note=""):
            other.rollback()
            if legacy.count(migrated) == 20:
                other.cursor().execute("LOCK TABLE high IN SHARE MODE")

    with closing(driver.connect(migrated_url)) as other:
        assert copy(batch_size=20, defer_indexes="never", progress=Locks()).copied == 40


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_a_trigger_committed_while_a_batch_waits_is_fired(migrated, migrated_url, level):
    legacy.build(migrated, 40)
    legacy.execute(migrated, "CREATE TABLE seen (id bigint); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
                             "$$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$")  # fmt: skip
    name = connection.settings_dict["NAME"]
    legacy.execute(migrated, f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
    connection.close()
    with closing(driver.connect(migrated_url)) as other:

        def add():
            other.cursor().execute(
                "CREATE TRIGGER see AFTER INSERT ON performance_records FOR EACH ROW EXECUTE FUNCTION see()"
            )
            threading.Timer(0.5, other.commit).start()

        assert copy(batch_size=20, defer_indexes="never", progress=AtStep(1, add)).copied == 40
    assert legacy.count(migrated, "seen") == 20


@pytest.mark.parametrize("change", ["DROP CONSTRAINT {}", "ALTER CONSTRAINT {} NOT ENFORCED", "DISABLE TRIGGER ALL"])
def test_a_key_that_is_not_in_force_keeps_no_row_back(migrated, checks, change):
    if "ENFORCED" in change and connection.pg_version < 180000:
        pytest.skip("PostgreSQL knows it from 18 on")
    legacy.build(migrated, 40)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 8")
    [(key,)] = legacy.execute(migrated, VALIDATED.replace("convalidated", "conname"))
    legacy.execute(migrated, f"ALTER TABLE performance_records {change.format(key)}")
    assert copy(batch_size=40, defer_indexes="never").copied == 40


def test_without_the_right_to_read_parents_the_server_checks(migrated):
    legacy.build(migrated, 40)
    name = f"copier_{connection.settings_dict['NAME']}"
    legacy.execute(migrated, f"CREATE ROLE {name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}; "
                             f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}; "
                             f"REVOKE SELECT ON devices FROM {name}")  # fmt: skip
    if connection.pg_version >= 150000:
        legacy.execute(migrated, f"GRANT SET ON PARAMETER session_replication_role TO {name}")
    legacy.execute(migrated, f"SET ROLE {name}")
    result = copy(batch_size=20, defer_indexes="never")
    legacy.execute(migrated, f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")
    assert (result.status, result.copied) == ("completed", 40)


def test_an_orphan_inserted_while_the_key_is_deferred_is_reported(migrated, migrated_url):
    name = connection.settings_dict["NAME"]
    legacy.execute(migrated, f"ALTER DATABASE {name} SET session_replication_role = local")  # a copy keeps off it
    connection.close()
    legacy.build(migrated, 20)

    def insert():
        with driver.connect(migrated_url) as other:
            other.cursor().execute(INSERT)
        other.close()

    result = copy(defer_indexes="always", progress=AtStep(1, insert))
    assert (result.status, result.exit_code, result.verified) == ("completed", 1, True)
    assert "verify_structure" in result.error
    assert legacy.execute(migrated, VALIDATED) == [(False,)]
    assert roll_back().status == "rolled_back"
