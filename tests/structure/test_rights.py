"""Verification works with few rights, never guesses, and never holds a lock that hurts."""

import threading

import pytest
from django.db import connection, connections

from compat.structure.errors import Unverifiable
from compat.structure.execution import repair
from compat.structure.verification import verify
from tests.databases import connected
from tests.structure.conftest import execute, rows

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])


@pytest.fixture
def role(migrated):
    """A role that may connect, read and create temporary tables."""
    name = f"reader_{connection.settings_dict['NAME']}"
    execute(f"CREATE ROLE {name}", "REVOKE CREATE ON SCHEMA public FROM public",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")  # fmt: skip
    yield name
    execute("RESET ROLE", f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_reading_and_temporary_tables_suffice(role):
    execute(f"SET ROLE {role}")
    report = verify()
    assert report.status == "ok"
    assert "compat.I022" in {issue.code for issue in report.issues}
    execute("RESET ROLE", f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}", f"SET ROLE {role}")
    assert "compat.I022" not in {issue.code for issue in verify().issues}


def test_a_table_that_the_role_may_not_read_is_not_compared(role):
    execute(f"REVOKE SELECT ON devices FROM {role}", f"SET ROLE {role}")
    report = verify()
    assert [(issue.code, issue.table) for issue in report.issues if issue.counts] == [("compat.W022", "devices")]
    assert report.status == "unverifiable"
    assert any("GRANT SELECT ON devices" in issue.hint for issue in report.issues)
    execute("RESET ROLE", "ALTER TABLE devices DROP COLUMN name", f"SET ROLE {role}")
    assert verify().status == "drift"


def test_without_temporary_tables_there_is_no_verdict(role):
    database = connection.settings_dict["NAME"]
    execute(f"REVOKE TEMP ON DATABASE {database} FROM public", f"SET ROLE {role}")
    with pytest.raises(Unverifiable, match=f"GRANT TEMPORARY ON DATABASE {database} TO {role}"):
        verify()


def test_a_database_that_is_read_only_by_default_gives_no_verdict(migrated):
    execute(f"ALTER DATABASE {connection.settings_dict['NAME']} SET default_transaction_read_only = on")
    connection.close()
    with pytest.raises(Unverifiable, match="read-only"):
        verify()


def test_row_level_security_without_a_policy_for_the_role_is_an_error(role):
    def told():
        execute(f"SET ROLE {role}")
        found = [issue.code for issue in verify().issues if issue.kind.name == "row_security"]
        execute("RESET ROLE")
        return found

    execute("ALTER TABLE devices ENABLE ROW LEVEL SECURITY", "CREATE POLICY theirs ON devices TO postgres USING (true)")
    assert told() == ["compat.E024"]
    execute(f"CREATE POLICY ours ON devices TO {role} USING (true)")
    assert told() == ["compat.I024"]
    execute("DROP POLICY ours ON devices")


def test_a_repair_without_privileges_changes_nothing(role):
    execute("DROP TABLE thresholds", f"SET ROLE {role}")
    report = repair()
    assert report.status == "drift"
    assert any("permission denied" in issue.hint for issue in report.issues)


def test_verification_runs_beside_writers_and_leaves_nothing_behind(migrated, migrated_url):
    with connected("other", migrated_url):
        execute("BEGIN", "LOCK TABLE devices IN ROW EXCLUSIVE MODE", using="other")
        assert verify().status == "ok"
        execute("ROLLBACK", using="other")
    assert rows("SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()") == [(0,)]
    assert rows("SHOW search_path") == [('"$user", public',)]


def test_two_repairs_at_once_do_one_repair(migrated, migrated_url):
    execute("DROP TABLE thresholds", "DROP INDEX perf_rec_device_recorded_idx")
    results = []

    def work(alias):
        try:
            results.append(repair(alias).status)
        finally:
            connections[alias].close()

    with connected("other", migrated_url):
        threads = [threading.Thread(target=work, args=[alias]) for alias in ("default", "other")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["ok", "ok"]
