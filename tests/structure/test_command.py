"""The command: its exit codes, its output, and what it says to a mistake."""

import json

import pytest

from tests.databases import manage

KEYS = {"code", "kind", "severity", "cause", "app", "model", "table", "object", "expected", "actual", "message",
        "hint", "fixable", "sql"}  # fmt: skip


def test_a_clean_database_exits_with_0(migrated_url):
    result = manage("verify_structure", url=migrated_url, check=0)
    assert "no differences" in result.stdout or "1 info" in result.stdout


def test_json_is_one_object_with_the_fields_that_programs_rely_on(empty_url):
    result = manage("verify_structure", "--format=json", url=empty_url, check=1)
    report = json.loads(result.stdout)
    assert (report["status"], report["database"], report["vendor"]) == ("drift", "default", empty_url.split(":")[0])
    assert "thresholds" in report["missing_tables"]
    assert "performance_data" not in report["missing_tables"]
    assert report["tables"] >= 12
    assert {frozenset(issue) for issue in report["issues"]} == {frozenset(KEYS)}
    fixed = json.loads(manage("verify_structure", "--fix", "--format=json", url=empty_url, check=0).stdout)
    assert fixed["status"] == "ok"
    assert {frozenset(issue) for issue in fixed["fixed"]} == {frozenset(KEYS)}


def test_warnings_fail_only_when_asked(migrated_url):
    script = "from django.db import connection; connection.cursor().execute('DROP INDEX perf_rec_device_recorded_idx')"
    manage("shell", "-c", script, url=migrated_url, check=0)
    manage("verify_structure", url=migrated_url, check=0)
    result = manage("verify_structure", "--fail-on=warning", url=migrated_url, check=1)
    assert "perf" in result.stdout or "index on (device_id, recorded_at) is missing" in result.stdout


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--database=nowhere"], "There is no database nowhere. Configured: default"),
        (["nothing"], "nothing is no installed app or model"),
        (["compat.Nothing"], "compat.Nothing is no installed app or model"),
        (["--rewrite"], "add --fix"),
        (["--dry-run"], "add --fix"),
        (["--fail-on=info"], "invalid choice"),
    ],
)
def test_a_mistake_is_explained_in_a_line(migrated_url, arguments, message):
    result = manage("verify_structure", *arguments, url=migrated_url, check=2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://postgres@127.0.0.1:1/none", "cannot be reached"),
        ("sqlite:////nonexistent/folder/file.sqlite3", "cannot be reached"),
        ("sqlite:///{file}", "file is not a database"),
    ],
)
def test_an_unreachable_database_exits_with_2(tmp_path, url, message):
    file = tmp_path / "text.sqlite3"
    file.write_text("this is no database, but long enough to be looked at " * 40)
    result = manage("verify_structure", "--format=json", url=url.format(file=file), check=2)
    assert json.loads(result.stdout)["status"] == "unverifiable"
    assert message in result.stderr
    assert "Traceback" not in result.stderr
