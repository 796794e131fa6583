"""The project behaves like any Django project."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from django.core.management import load_command_class
from django.db import connection

from tests.databases import ROOT, environment, manage

DJANGO_OPTIONS = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color",
                  "--force-color", "--skip-checks"}  # fmt: skip


def test_models_and_migrations_agree(empty_url):
    manage("makemigrations", "--check", "--dry-run", url=empty_url, check=0)


def test_production_passes_the_deployment_check(empty_url):
    manage(
        "check", "--deploy", "--fail-level=WARNING",
        url=empty_url, check=0, DJANGO_ALLOWED_HOSTS="csms.example.org", DJANGO_SECRET_KEY="k3Y-" * 20 + "0987654321",
    )  # fmt: skip


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize(("given", "seconds"), [("", 0), ("3600", 3600)])
def test_hsts_is_off_until_it_is_set(empty_url, given, seconds):
    names = ("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD")
    code = f"from django.conf import settings; print(*(getattr(settings, name) for name in {names}))"
    result = manage(
        "shell", "--no-imports", "-c", code,
        url=empty_url, check=0, DJANGO_ALLOWED_HOSTS="csms.example.org", DJANGO_SECRET_KEY="k3Y-" * 20 + "0987654321",
        DJANGO_HSTS_SECONDS=given,
    )  # fmt: skip
    assert result.stdout.split() == [str(seconds), "False", "False"]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_wrong_hsts_seconds_are_refused(empty_url):
    result = manage("check", url=empty_url, check=2, DJANGO_HSTS_SECONDS="a year")
    assert result.stderr == "DJANGO_HSTS_SECONDS is 'a year'; it must be a whole number from 0.\n"


def test_production_without_a_secret_key_is_refused(empty_url):
    result = manage("check", url=empty_url, check=2, DJANGO_ALLOWED_HOSTS="csms.example.org", DJANGO_SECRET_KEY="")
    assert "DJANGO_SECRET_KEY is missing" in result.stderr


@pytest.mark.parametrize("scheme", ["nonsense", "oracle"])
def test_a_wrong_database_url_is_explained_without_password(empty_url, scheme):
    result = manage("check", url=f"{scheme}://user:pa55@host/db", check=2)
    assert "DATABASE_URL is not a database URL" in result.stderr
    assert "pa55" not in result.stderr
    assert "mysql" not in result.stderr


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_ctrl_c_shows_no_traceback(migrated_url):
    waiting = "import time; print('begun', flush=True); time.sleep(60)"
    with started("shell", "--no-imports", "-c", waiting, url=migrated_url) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert (process.stderr.read(), process.wait(20)) == ("Interrupted.\n", 130)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_closed_pipe_shows_no_traceback(migrated_url):
    with started("verify_structure", url=migrated_url) as process:
        process.stdout.close()
        assert (process.wait(20), "Traceback" in process.stderr.read()) == (141, False)


@contextmanager
def started(*arguments, url):
    """Start `manage.py` as a process that handles SIGINT, which background jobs of a shell ignore."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("variable", ["COMPAT_LOG_LEVEL", "COMPAT_LOG_FORMAT", "DJANGO_LANGUAGE_CODE"])
def test_a_wrong_value_is_refused_with_the_allowed_ones(empty_url, variable):
    result = manage("verify_structure", url=empty_url, check=2, **{variable: "nonsense"})
    assert result.stderr.startswith(f"{variable} is 'nonsense'; it must be one of ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_sqlite_uses_wal_and_foreign_keys(migrated):
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_the_log_can_be_json_lines(empty_url):
    result = manage("run_compatibility_fixes", url=empty_url, check=0, COMPAT_LOG_FORMAT="json")
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"time", "level", "logger", "message"} == set(events[0])
    assert any(event["message"] == "migrated compat" for event in events)


ENGINES = [ROOT / "compat" / name for name in ("structure", "copying", "database")]
COMMANDS = ["verify_structure", "migrate_performance", "run_compatibility_fixes", "demo"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_lists_every_option(name):
    readme = (ROOT / "README.md").read_text()
    parser = load_command_class("compat" if name != "verify_structure" else "compat.structure", name)
    own = parser.create_parser("manage.py", name)._actions
    options = {option for action in own for option in action.option_strings if option.startswith("--")}
    assert {option for option in options - DJANGO_OPTIONS if f"`{option}" not in readme} == set()


@pytest.mark.parametrize("file", ["README.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))])
def test_links_point_to_files(file):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / file).read_text())
    assert [link for link in links if not ((ROOT / file).parent / link).exists()] == []


def test_the_settings_are_documented():
    described = (ROOT / "docs" / "operations.md").read_text()
    keys = re.findall(r'_get\("(\w+)"', (ROOT / "compat" / "conf.py").read_text())
    assert [key for key in keys if f"| `{key}` |" not in described] == []
    engines = "".join(file.read_text() for engine in ENGINES for file in engine.rglob("*.py"))
    names = set(re.findall(r'getattr\(settings, "(\w+)"|^SETTING = "(\w+)"', engines, re.MULTILINE))
    assert [name for pair in names for name in pair if name and f"| `{name}` |" not in described] == []


def test_the_environment_variables_are_documented():
    read = re.compile(r'(?:environ(?:\.get\(|\[)|chosen\(|number\()"(\w+)"')
    files = [*(ROOT / "csms_project").glob("*.py"), ROOT / "compat" / "conf.py"]
    variables = {name for file in files for name in read.findall(file.read_text())} - {"DJANGO_SETTINGS_MODULE"}
    readme = (ROOT / "README.md").read_text()
    assert {name for name in variables if f"`{name}`" not in readme} == set()
