"""Other copies than CSMS's own: the documented example works, and a wrong declaration is explained."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.db.models import F, Value

from compat.copies import PERFORMANCE
from compat.copying.declaration import Copy
from compat.copying.errors import DeclarationError
from compat.copying.functions import RunTimestamp
from compat.models import Device, PerformanceData, PerformanceRecord
from tests.databases import ROOT

SETTINGS = """
SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["compat.structure", "compat.copying", "metering"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {name!r}}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
FILL = """
import django; django.setup()
from django.db import connection as c
with c.cursor() as cursor:
    cursor.execute("CREATE TABLE meter_readings (id integer primary key, meter_id int, watts int, taken datetime)")
    cursor.execute("INSERT INTO metering_meter VALUES (1, 'main')")
    insert = "INSERT INTO meter_readings VALUES (%s, 1, %s, '2024-05-01 10:00:00.000000')"
    cursor.executemany(insert, [(n, n * 10) for n in range(1, 501)])
"""
CHECK = """
import django; django.setup()
from metering.models import Reading
print(Reading.objects.count(), Reading.objects.get(pk=123).kilowatts)
"""


@pytest.fixture
def example(tmp_path):
    """The project that docs/copying.md describes; returns a function that runs Python in it."""
    text = (ROOT / "docs" / "copying.md").read_text()
    for path, code in re.findall(r"^`(metering/\S+)`\n```python\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    for package in ("metering", "metering/management", "metering/management/commands"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "example_settings.py").write_text(SETTINGS.format(name=str(tmp_path / "db.sqlite3")))

    def run(*arguments, check=0):
        environment = {
            **os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "DJANGO_SETTINGS_MODULE": "example_settings",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == check, done.stderr
        return done.stdout

    return run


def test_the_documented_example_copies_in_a_project_without_csms(example):
    example("-m", "django", "makemigrations", "metering")
    example("-m", "django", "migrate")
    example("-c", FILL)
    result = json.loads(example("-m", "django", "migrate_readings", "--format", "json"))
    assert (result["status"], result["copied"], result["verified"]) == ("completed", 500, True)
    assert example("-c", CHECK) == "500 1.23\n"
    assert json.loads(example("-m", "django", "migrate_readings", "--rollback", "--format=json"))["copied"] == 500


GOOD = dict(PERFORMANCE.values)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (GOOD | {"colour": F("id")}, "PerformanceRecord has no field 'colour'"),
        (GOOD | {"cpu_usage": F("cpu_load")}, "Cannot resolve keyword 'cpu_load'"),
        (GOOD | {"cpu_usage": F("timestamp")}, "cpu_usage holds numbers, its expression gives dates and times"),
        (GOOD | {"id": F("id")}, "cannot be given a value"),
        ({name: value for name, value in GOOD.items() if name != "recorded_at"}, "recorded_at must not be NULL"),
    ],
)
def test_a_wrong_declaration_names_its_problem(values, problem):
    with pytest.raises(DeclarationError, match=re.escape(problem)):
        Copy("wrong", PerformanceData, PerformanceRecord, values).fields  # noqa: B018 the property checks


def test_a_copy_that_keeps_keys_must_know_its_rows():
    values = {"name": F("name"), "ip_address": F("ip_address"), "created_at": Value(None)}
    with pytest.raises(DeclarationError, match="RunTimestamp"):
        Copy("wrong", Device, Device, values, keep_keys=True).fields  # noqa: B018 the property checks


def test_every_problem_is_named_at_once():
    values = GOOD | {"colour": F("id"), "shape": RunTimestamp()}
    with pytest.raises(DeclarationError, match=r"colour.*shape"):
        Copy("wrong", PerformanceData, PerformanceRecord, values).fields  # noqa: B018 the property checks
