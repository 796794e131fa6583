"""The command: its exit codes, its output, and what it says to a mistake."""

import json
from typing import NamedTuple

import pytest
from django.db import models

from compat.models import Threshold
from compat.structure.management.commands.verify_structure import Command
from tests.databases import connected, manage
from tests.structure.conftest import execute

KEYS = {"code", "kind", "severity", "cause", "app", "model", "table", "object", "expected", "actual", "message",
        "hint", "fixable", "needs_rewrite", "sql"}  # fmt: skip


class Result(NamedTuple):
    """What the command left behind."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys):
    """Run the command as `manage.py` does, in this process."""

    def command(*arguments, check):
        code = 0
        try:
            Command().run_from_argv(["manage.py", "verify_structure", *arguments])
        except SystemExit as end:
            code = end.code
        result = Result(code, *capsys.readouterr())
        assert code == check, result
        return result

    return command


def test_a_clean_database_exits_with_0(migrated, run):
    assert "tables compared, 1 info (list info with -v 2)." in run(check=0).stdout
    assert "compat.I001 1 table missing: performance_data." in run("-v2", check=0).stdout


def test_json_is_one_object_with_the_documented_keys(empty_url):
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


def test_warnings_fail_only_when_asked(migrated, run):
    execute("DROP INDEX perf_rec_device_recorded_idx")
    run(check=0)
    assert "The index on (device_id, recorded_at) is missing" in run("--fail-on=warning", check=1).stdout


def test_what_could_not_be_compared_is_no_success(migrated, run):
    execute("DROP INDEX perf_rec_device_recorded_idx")
    broken = models.GeneratedField(
        expression=models.Func(models.F("id"), function="no_such_function", output_field=models.IntegerField()),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    broken.contribute_to_class(Threshold, "broken")
    try:
        report = json.loads(run("--format=json", check=2).stdout)
    finally:
        Threshold._meta.local_fields.remove(broken)
        Threshold._meta._expire_cache()
    assert report["status"] == "unverifiable"
    (doubt,) = (issue for issue in report["issues"] if issue["code"] == "compat.W022")
    assert "no_such_function" in doubt["message"]
    assert doubt["hint"].startswith("The server cannot create this table. Install what it lacks")


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--database=nowhere"], "There is no database nowhere. Configured: default"),
        (["nothing"], "nothing is not an installed app or model"),
        (["compat.Nothing"], "compat.Nothing is not an installed app or model"),
        (["compat."], "compat. is not an installed app or model"),
        (["--rewrite"], "add --fix"),
        (["--dry-run"], "add --fix"),
        (["--fail-on=info"], "invalid choice"),
    ],
)
def test_a_mistake_is_explained_in_a_line(migrated, run, arguments, message):
    result = run(*arguments, check=2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://postgres@127.0.0.1:1/none", "cannot be reached"),
        ("sqlite:////nonexistent/folder/file.sqlite3", "cannot be reached: there is no folder /nonexistent/folder."),
        ("sqlite:///{file}", "file is not a database"),
    ],
)
def test_an_unreachable_database_exits_with_2(tmp_path, run, django_db_blocker, url, message):
    file = tmp_path / "text.sqlite3"
    file.write_text("this is no database, but long enough to be looked at " * 40)
    with django_db_blocker.unblock(), connected("default", url.format(file=file)):
        result = run("--format=json", check=2)
    assert json.loads(result.stdout)["status"] == "unverifiable"
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_counts_as_an_empty_database(tmp_path, run, django_db_blocker):
    with django_db_blocker.unblock(), connected("default", f"sqlite:///{tmp_path / 'absent.sqlite3'}"):
        report = json.loads(run("--format=json", check=1).stdout)
        assert "CREATE TABLE" in run("--fix", "--dry-run", check=1).stdout
        assert list(tmp_path.iterdir()) == []
        run("--fix", check=0)
    assert report["status"] == "drift"
    assert "thresholds" in report["missing_tables"]
