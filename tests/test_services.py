"""The services, and the command `run_compatibility_fixes` on top of them."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from compat import services
from compat.database.stop import Stop
from tests import legacy
from tests.databases import manage

ROWS = 1200


def test_each_service_does_its_part(migrated):
    legacy.build(migrated, ROWS)
    assert services.verify_database_structure().status == "ok"
    result = services.migrate_performance_data(batch_size=500)
    assert (result.status, result.copied, result.batches, result.verified) == ("completed", ROWS, 3, True)
    assert legacy.not_over(migrated) == []


def test_the_command_sets_up_an_empty_database(empty_url):
    answer = json.loads(manage("run_compatibility_fixes", "--format", "json", url=empty_url, check=0).stdout)
    assert (answer["status"], answer["copy"]) == ("ok", None)
    assert len(answer["structure"]["fixed"]) == answer["structure"]["tables"]
    manage("migrate", "--check", url=empty_url, check=0)


def test_the_command_repairs_and_copies_once(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "DROP TABLE thresholds")
    first, second = (
        json.loads(manage("run_compatibility_fixes", "--format=json", url=migrated_url, check=0).stdout)
        for _ in range(2)
    )
    assert [issue["table"] for issue in first["structure"]["fixed"]] == ["thresholds"]
    assert (first["copy"]["status"], first["copy"]["copied"], first["copy"]["verified"]) == ("completed", ROWS, True)
    assert (second["structure"]["fixed"], second["copy"]["status"]) == ([], "nothing_to_do")
    assert legacy.not_over(migrated) == []


def test_the_copy_keeps_indexes_in_place(migrated, caplog):
    legacy.build(migrated, 100_001)
    with caplog.at_level("INFO", logger="compat"):
        assert services.run_compatibility_fixes().exit_code == 0
    assert "set aside" not in caplog.text
    assert "deferred" not in caplog.text


def test_rejected_rows_exit_1(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    result = manage("run_compatibility_fixes", url=migrated_url, check=1)
    assert re.search(r"rejected\s+1 row", result.stdout)


def test_unrepairable_findings_exit_1_and_rows_are_copied(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "DROP TABLE thresholds")
    legacy.execute(migrated, "CREATE VIEW thresholds AS SELECT 1 AS id")
    answer = json.loads(manage("run_compatibility_fixes", "--format=json", url=migrated_url, check=1).stdout)
    assert [issue["code"] for issue in answer["structure"]["issues"] if issue["severity"] == "error"] == ["compat.E002"]
    assert answer["copy"]["status"] == "completed"


@pytest.mark.parametrize(
    ("url", "arguments", "message"),
    [
        ("postgresql://nobody@127.0.0.1:9/none", [], "cannot be reached"),
        ("sqlite:////nowhere/at/all.sqlite3", [], "cannot be reached"),
        ("sqlite:////nowhere/at/all.sqlite3", ["--database=nope"], "There is no database nope"),
    ],
)
def test_without_a_database_it_exits_2_with_one_line(url, arguments, message):
    result = manage("run_compatibility_fixes", "--format=json", *arguments, url=url, check=2)
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["copy"]) == ("blocked", None)
    assert message in answer["error"]
    assert "Traceback" not in result.stderr


def test_a_requested_stop_is_obeyed(migrated):
    legacy.build(migrated, ROWS)
    stop = Stop()
    stop.request("the server stops")
    assert services.run_compatibility_fixes(stop=stop).copy is None
    assert legacy.count(migrated) == 0


def test_several_processes_at_once_succeed(empty_url):
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(manage, "run_compatibility_fixes", "--format=json", url=empty_url) for _ in range(3)]
    answers = [job.result() for job in jobs]
    assert [answer.returncode for answer in answers] == [0, 0, 0], [answer.stderr for answer in answers]
    manage("verify_structure", url=empty_url, check=0)
    manage("migrate", "--check", url=empty_url, check=0)
