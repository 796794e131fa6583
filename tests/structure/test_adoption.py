"""A database that Django never migrated is brought up, loses nothing, and is then an ordinary one."""

import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.db.migrations.executor import MigrationExecutor

from compat.models import Device
from compat.structure.execution import repair
from compat.structure.verification import plan, verify
from tests.databases import ROOT, environment
from tests.structure import legacy
from tests.structure.conftest import execute, rows


def waiting():
    from django.db import connection

    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


def test_a_legacy_database_is_adopted_without_losing_a_row(empty):
    legacy.build()
    before = legacy.contents()
    found = {(issue.kind.name, issue.table, issue.object) for issue in verify().issues if issue.counts}
    assert ("missing_column", "devices", "device_type_id") in found
    assert ("missing_table", "thresholds", "thresholds") in found
    assert ("missing_table", "auth_user", "auth_user") in found

    first = repair()
    left = [issue for issue in first.issues if issue.counts]
    assert left
    assert all(issue.needs_rewrite for issue in left)
    second = repair(rewrite=True)
    assert second.status == "ok"
    assert any("recorded as applied" in note for note in second.notes)

    assert legacy.contents() == before
    assert waiting() == []
    assert verify().status == "ok"
    assert Device.objects.create(name="four", ip_address="10.0.0.4").pk == 4
    assert Device.objects.get(pk=1).created_at is not None


def test_one_step_does_it_too_and_a_second_changes_nothing(empty):
    legacy.build()
    assert repair(rewrite=True).status == "ok"
    again = repair(rewrite=True)
    assert (again.fixed, again.statements, again.notes) == ((), (), ())


def test_an_empty_database_is_migrated(empty):
    assert repair().status == "ok"
    assert waiting() == []


def test_other_apps_may_be_migrated_already(empty):
    legacy.build()
    call_command("migrate", "auth", verbosity=0)
    assert repair(rewrite=True).status == "ok"
    assert waiting() == []


def test_some_of_our_tables_may_exist_already(migrated):
    execute("DELETE FROM django_migrations WHERE app = 'compat'", "DROP TABLE thresholds")
    assert [issue.table for issue in verify().issues if issue.counts] == ["thresholds"]
    assert repair().status == "ok"
    assert waiting() == []


def test_a_dry_run_changes_nothing_and_shows_what_the_real_run_executes(empty):
    legacy.build()
    before = verify()
    shown = plan(rewrite=True).statements
    assert verify() == before
    done = repair(rewrite=True)
    assert done.status == "ok"
    assert set(done.statements) <= set(shown)


def test_an_app_with_some_migrations_is_left_to_migrate(migrated):
    execute("DELETE FROM django_migrations WHERE app = 'auth' AND name LIKE '0012%'")
    execute("ALTER TABLE auth_user DROP COLUMN first_name")
    report = verify()
    assert [(issue.object, issue.cause.value) for issue in report.issues if issue.counts] == [("first_name", "drift")]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_table_that_a_view_or_trigger_depends_on_is_not_rebuilt(empty):
    legacy.build()
    execute("CREATE VIEW names AS SELECT name FROM devices")
    report = repair(rewrite=True)
    assert report.status == "drift"
    assert any("the view names" in issue.hint for issue in report.issues)
    assert rows("SELECT count(*) FROM names") == [(3,)]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_rebuild_keeps_indexes_extra_columns_sequences_and_references(empty):
    legacy.build()
    execute(
        "ALTER TABLE devices ADD COLUMN rack TEXT DEFAULT 'r1' CHECK (rack <> '')",
        "CREATE INDEX by_rack ON devices (rack) WHERE rack IS NOT NULL",
    )
    repair(rewrite=True)
    assert rows("SELECT rack FROM devices") == [("r1",)] * 3
    assert rows("SELECT count(*) FROM sqlite_master WHERE name = 'by_rack'") == [(1,)]
    assert "CHECK (rack <> '')" in rows("SELECT sql FROM sqlite_master WHERE name = 'devices'")[0][0]
    with pytest.raises(IntegrityError):
        execute("DELETE FROM devices WHERE id = 3")


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_rows_without_their_parent_do_not_stop_an_adoption(empty):
    legacy.build()
    execute("PRAGMA foreign_keys = OFF")
    execute("INSERT INTO performance_data (id, device_id) VALUES (99, 999)")
    execute("PRAGMA foreign_keys = ON")
    before = legacy.contents()
    assert repair(rewrite=True).status == "ok"
    assert waiting() == []
    assert legacy.contents() == before


@pytest.mark.slow
def test_repairs_of_several_processes_wait_for_each_other(empty_url, empty):
    legacy.build()
    command = [sys.executable, "manage.py", "verify_structure", "--fix", "--rewrite"]
    repairs = [
        subprocess.Popen(command, cwd=ROOT, env=environment(empty_url), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120) for process in repairs]
    assert [process.returncode for process in repairs] == [0, 0, 0], said
    assert verify().status == "ok"


def test_a_migration_whose_record_was_lost_is_noted(torture):
    assert verify().notes == ()
    execute("DELETE FROM django_migrations WHERE app = 'auth' AND name = '0012_alter_user_first_name_max_length'")
    assert verify().notes == ()  # it adds nothing: migrate may run it once more
    execute("DELETE FROM django_migrations WHERE app = 'history' AND name = '0003_keys'")
    (note,) = verify().notes
    assert note.startswith("history: the next migrate would apply 0003_keys and fail")
    assert note.endswith("python manage.py migrate history 0003_keys --fake")
    call_command("migrate", "history", "0003", fake=True, verbosity=0)
    assert verify().notes == ()
