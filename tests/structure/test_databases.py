"""Projects with several databases, and databases that can only be read."""

import pytest
from django.core.management import call_command
from django.db import connections

from compat.structure.errors import RepairFailed
from compat.structure.execution import repair
from compat.structure.verification import verify
from tests.databases import connected
from tests.structure.conftest import execute


class Router:
    """Keeps the app `compat` in the database `other`, everything else in `default`."""

    def allow_migrate(self, db, app_label, **hints):
        return (app_label == "compat") == (db == "other")


@pytest.fixture
def other(empty, tmp_path, settings):
    """A second database beside `default`, each with its own apps."""
    settings.DATABASE_ROUTERS = [Router()]
    with connected("other", f"sqlite:///{tmp_path / 'other.sqlite3'}") as alias:
        for database in ("default", alias):
            call_command("migrate", database=database, verbosity=0)
        yield alias


def lost(using):
    return [issue.table for issue in verify(using).issues if issue.counts]


def test_each_database_is_compared_with_the_tables_of_its_router(other):
    assert (lost("default"), lost(other)) == ([], [])
    assert {issue.app for issue in verify().issues} == set()
    assert verify(other).tables < verify().tables
    execute("DROP TABLE thresholds", using=other)
    execute("DROP TABLE django_session")
    assert (lost("default"), lost(other)) == (["django_session"], ["thresholds"])
    assert repair(other).status == "ok"
    assert (lost("default"), lost(other)) == (["django_session"], [])


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_file_that_can_only_be_read_is_verified_and_not_repaired(migrated):
    execute("DROP INDEX perf_rec_device_recorded_idx", "PRAGMA journal_mode = DELETE")
    file = connections["default"].settings_dict["NAME"]
    with connected("default", f"sqlite:///{file}"):
        settings = connections["default"].settings_dict
        settings["NAME"] = f"file:{file}?mode=ro"
        settings["OPTIONS"] = {"uri": True}
        assert [issue.code for issue in verify().issues if issue.counts] == ["compat.W018"]
        with pytest.raises(RepairFailed, match="The database default is read-only: nothing was changed"):
            repair()


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_each_schema_may_hold_the_tables_of_one_tenant(migrated):
    execute("CREATE SCHEMA tenant", "SET search_path = tenant, public")
    for table in connections["default"].introspection.table_names():
        execute(f"ALTER TABLE {table} SET SCHEMA tenant")
    call_command("migrate", verbosity=0)
    assert verify().status == "ok"
    execute("DROP INDEX tenant.perf_rec_device_recorded_idx", "ALTER TABLE devices DROP COLUMN name")
    assert repair().status == "ok"
    execute("ALTER TABLE thresholds SET SCHEMA public", "SET search_path = tenant")
    (hint,) = (issue.hint for issue in verify().issues if issue.table == "thresholds")
    assert hint.startswith(
        "A table of that name is in the schema public. If it is this one, put its schema first on the search path"
    )
    assert """db_table = '"public"."thresholds"'""" in hint
    assert repair().fixed == ()
    execute("SET search_path = tenant, public")
    assert verify().status == "ok"
    execute("SET search_path = other")
    (hint,) = (issue.hint for issue in verify().issues if issue.table == "devices")
    assert hint.startswith(
        "A table of that name is in the schema tenant. If it is this one, put its schema first on the search path"
    )
