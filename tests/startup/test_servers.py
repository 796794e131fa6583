"""Every kind of server verifies, repairs and copies when it starts, once and while it serves."""

import os
import re
import signal

import pytest
from django.db import connections

from tests import legacy
from tests.startup.servers import COMMANDS, SUMMARY, Server, serving

pytestmark = pytest.mark.slow

ROWS = 3000
SLOW = {
    "sqlite": "CREATE TRIGGER slow BEFORE INSERT ON performance_records BEGIN SELECT (WITH RECURSIVE c(n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000) SELECT count(*) FROM c); END",
    "postgresql": "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$; "
    "CREATE TRIGGER slow BEFORE INSERT ON performance_records FOR EACH ROW EXECUTE FUNCTION slow()",
}


def states(using):
    """Return the states of all runs."""
    return [state for (state,) in legacy.execute(using, "SELECT state FROM compat_copyrun")]


def copy_slowly(using):
    """Make each inserted record take about a millisecond."""
    legacy.execute(using, SLOW[connections[using].vendor])


def copy_fast_again(using):
    """Undo `copy_slowly`."""
    table = " ON performance_records" if connections[using].vendor == "postgresql" else ""
    legacy.execute(using, f"DROP TRIGGER slow{table}")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_starting_server_repairs_and_copies_once(migrated, migrated_url, name, tmp_path):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "DROP TABLE thresholds")
    with serving(name, migrated_url, tmp_path) as server:
        server.wait_for_log(SUMMARY)
        server.wait_until_it_answers()
        server.stop()
        assert server.log.count(SUMMARY) == 1
        assert re.search(
            r"1 repaired, 0 errors and 0 warnings; copy completed, 3000 rows copied, 0 rejected", server.log
        )
        assert "Traceback" not in server.log
        assert "RuntimeWarning" not in server.log
    assert legacy.not_over(migrated) == []
    assert legacy.count(migrated, "thresholds") == 0


STOPS = {"runserver --noreload": Server.stop, "gunicorn": Server.stop, "gunicorn --preload": Server.interrupt,
         "uvicorn": Server.stop, "uvicorn --workers": Server.stop}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
def test_a_server_serves_while_it_copies_and_stops_in_order(migrated, migrated_url, name, tmp_path):
    legacy.build(migrated, ROWS)
    copy_slowly(migrated)
    with serving(name, migrated_url, tmp_path) as server:
        server.wait_for(lambda: legacy.count(migrated), "the first batch")
        assert server.get("/admin/login/")[0] == 200
        assert server.get("/static/admin/css/base.css")[:2] == (200, 'text/css; charset="utf-8"')
        assert states(migrated) == ["running"]
        STOPS[name](server)
        assert "the server stops; run again to resume" in server.log
    assert states(migrated) == ["stopped"]
    assert 0 < legacy.count(migrated) < ROWS


@pytest.mark.parametrize("name", ["runserver", "gunicorn --preload", "uvicorn"])
def test_the_next_start_resumes_the_run_of_a_killed_server(migrated, migrated_url, name, tmp_path):
    legacy.build(migrated, ROWS)
    copy_slowly(migrated)
    with serving(name, migrated_url, tmp_path) as server:
        server.wait_for(lambda: legacy.count(migrated), "the first batch")
        server.kill()
    assert legacy.count(migrated) < ROWS
    copy_fast_again(migrated)
    with serving(name, migrated_url, tmp_path) as server:
        server.wait_for_log(f"copy completed, {ROWS} rows copied")
    assert legacy.not_over(migrated) == []
    assert states(migrated) == ["completed"]


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_another_worker_resumes_the_run_of_a_killed_one(migrated, migrated_url, tmp_path):
    legacy.build(migrated, ROWS)
    copy_slowly(migrated)
    with serving("gunicorn", migrated_url, tmp_path) as server:
        server.wait_for(lambda: legacy.count(migrated), "the first batch")
        [(owner,)] = legacy.execute(migrated, "SELECT owner FROM compat_copyrun")
        pid = owner.split("/")[2]
        assert pid in server.workers()
        os.kill(int(pid), signal.SIGKILL)
        copy_fast_again(migrated)
        server.wait_for_log(f"copy completed, {ROWS} rows copied")
    assert legacy.not_over(migrated) == []


def test_the_log_lists_problems_with_commands(migrated, migrated_url, tmp_path):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "DROP TABLE thresholds")
    legacy.execute(migrated, "CREATE VIEW thresholds AS SELECT 1 AS id")
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    with serving("gunicorn", migrated_url, tmp_path) as server:
        server.wait_for_log("To list all findings:")
        server.wait_until_it_answers()
        server.wait_for_log("migrate_performance --retry-rejected")
        assert re.search(r"WARNING compat.startup: The database default needs attention:\n  compat.E002 thresholds: ",
                         server.log)  # fmt: skip
        assert "1 row was rejected" in server.log


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://nobody:pa55@127.0.0.1:9/none"])
def test_a_server_starts_without_its_database(url, tmp_path):
    with serving("gunicorn", url, tmp_path) as server:
        server.wait_until_it_answers()
        server.wait_for_log("The database was not verified")
        assert server.get("/admin/login/")[0] == 200
        assert "Traceback" not in server.log
        assert "pa55" not in server.log
