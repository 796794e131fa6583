"""Real processes: killed, stopped, started twice, pointed at the wrong database."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import legacy
from tests.databases import ROOT, environment, manage

ROWS = 3000


def start(url, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate_performance", "--format", "json", *arguments],
        cwd=ROOT, env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def wait_for_rows(using, process, rows):
    """Wait until the process has committed some rows; fail when it ends before."""
    while legacy.count(using) < rows:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_copy_is_resumed_at_once_and_exactly(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    process = start(migrated_url, "--batch-size", "5")
    wait_for_rows(migrated, process, 50)
    process.kill()
    assert finish(process)[0] == -signal.SIGKILL
    survived = legacy.count(migrated)
    assert 50 <= survived < ROWS
    code, out, err = finish(start(migrated_url))
    assert code == 0, err
    result = json.loads(out)
    assert (result["status"], result["copied"], result["verified"]) == ("completed", ROWS, True)
    assert legacy.not_over(migrated) == []
    assert legacy.count(migrated) == ROWS


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id % 100 = 0")
    seeded = random.Random(20)
    for kill in range(12):
        process = start(migrated_url, "--batch-size=1", "--pause=0.5", *(["--workers=2"] if kill % 3 == 2 else []))
        time.sleep(0.4 + seeded.random() * 0.6)
        process.kill()
        finish(process)
    code, _, err = finish(start(migrated_url))
    assert code in {0, 1}, err
    assert legacy.not_over(migrated) == list(range(100, ROWS + 1, 100))
    assert legacy.count(migrated) == ROWS - ROWS // 100
    assert legacy.count(migrated, "compat_rejectedrow") == ROWS // 100


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_a_batch_border(migrated, migrated_url, number):
    legacy.build(migrated, ROWS)
    process = start(migrated_url, "--batch-size", "5")
    wait_for_rows(migrated, process, 10)
    os.kill(process.pid, number)
    code, out, err = finish(process)
    assert code == 3, err
    result = json.loads(out)
    assert (result["status"], result["copied"]) == ("stopped", legacy.count(migrated))
    assert result["copied"] % 5 == 0


@pytest.mark.slow
def test_of_two_starters_one_copies_and_the_other_names_it(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    first = start(migrated_url, "--batch-size", "1", "--pause", "0.95")
    wait_for_rows(migrated, first, 1)
    code, out, _ = finish(start(migrated_url))
    first.terminate()
    assert finish(first)[0] == 3
    assert code == 2
    answer = json.loads(out)
    assert answer["status"] == "blocked"
    assert f"process {first.pid} on" in answer["error"]
    assert "started at" in answer["error"]
    assert finish(start(migrated_url))[0] == 0
    assert legacy.not_over(migrated) == []


@pytest.mark.slow
def test_max_seconds_stops_early(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    code, out, _ = finish(start(migrated_url, "--batch-size=1", "--pause=0.95", "--max-seconds=1"))
    assert code == 3
    assert 0 < json.loads(out)["copied"] < ROWS


@pytest.mark.parametrize(
    "option", ["--batch-size=0", "--batch-size=many", "--workers=-1", "--max-seconds=0", "--format=xml"]
)
def test_a_wrong_option_exits_2(tmp_path, option):
    result = manage("migrate_performance", option, url=f"sqlite:///{tmp_path}/none.sqlite3", check=2)
    assert option.partition("=")[0] in result.stderr


def test_missing_tables_are_named(empty_url):
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    result = manage("migrate_performance", url=empty_url, check=2)
    assert "performance_data is not in the database" in result.stderr
    assert "check that this is the legacy database" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("url", "reason"), [
    ("sqlite:////nowhere/at/all.sqlite3", "/nowhere/at/all.sqlite3, which does not exist"),
    ("postgresql://nobody@127.0.0.1:9/none", "cannot be read"),
])  # fmt: skip
def test_an_unreachable_database_exits_2(url, reason):
    result = manage("migrate_performance", "--format=json", url=url, check=2)
    assert json.loads(result.stdout)["status"] == "blocked"
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_no_database_exits_2(tmp_path):
    file = tmp_path / "notes.sqlite3"
    file.write_text("These are notes, not a database." * 100)
    result = manage("migrate_performance", url=f"sqlite:///{file}", check=2)
    assert "not a database" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_alias_exits_2(migrated_url):
    result = manage("migrate_performance", "--database", "nope", url=migrated_url, check=2)
    assert "no database alias 'nope'" in result.stderr
