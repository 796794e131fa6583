"""The wheel in a new virtual environment works in a project without CSMS, which is the example of the docs."""

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.slow

NEEDED = ["django", "asgiref", "sqlparse", "tqdm"]  # Django with what it needs, and the progress bar
SETTINGS = """
SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["compat.structure", "compat.copying", "metering"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
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
    cursor.execute("ALTER TABLE metering_reading DROP COLUMN imported_at")
"""
LOOK = """
import django, json, sys; django.setup()
import compat
from django.apps import apps
from metering.models import Reading
labels = sorted({model._meta.app_label for model in apps.get_models()})
print(json.dumps([compat.__file__, labels, "compat.models" in sys.modules, Reading.objects.get(pk=123).kilowatts]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that pip builds from this repository."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([sys.executable, *build, ROOT], check=True, timeout=120)
    return next(folder.iterdir())


@pytest.fixture
def project(wheel, tmp_path):
    """The project of docs/copying.md in a new environment with the wheel; returns a function that runs Python in it."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = ["--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, timeout=120)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    for package in NEEDED:
        (site / package).symlink_to(Path(find_spec(package).origin).parent)
    write_example(tmp_path)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "DJANGO_"))}

    def run(*arguments, check=0):
        environment = {**clean, "DJANGO_SETTINGS_MODULE": "example_settings"}
        done = subprocess.run(
            [python, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == check, done.stdout + done.stderr
        return done.stdout

    return run


def write_example(folder):
    """Write the files that docs/copying.md shows."""
    text = (ROOT / "docs" / "copying.md").read_text()
    for path, code in re.findall(r"^`(metering/\S+)`\n```python\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    for package in ("metering", "metering/management", "metering/management/commands"):
        (folder / package / "__init__.py").touch()
    (folder / "example_settings.py").write_text(SETTINGS)


def test_the_wheel_contains_only_the_package(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("csms_compat-")}
    files = (file for file in (ROOT / "compat").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    assert names == {file.relative_to(ROOT).as_posix() for file in files}


def test_the_documented_project_verifies_repairs_and_copies(project, tmp_path):
    project("-m", "django", "makemigrations", "metering")
    project("-m", "django", "migrate")
    project("-c", FILL)
    assert "imported_at" in project("-m", "django", "verify_structure", check=1)
    project("-m", "django", "verify_structure", "--fix")
    assert json.loads(project("-m", "django", "verify_structure", "--format=json"))["status"] == "ok"
    assert result(project, "--workers=2", status="completed", copied=500, verified=True)
    assert result(project, "--verify", status="verified")
    file, labels, loaded, kilowatts = json.loads(project("-c", LOOK))
    assert Path(file).is_relative_to(tmp_path / "venv")
    assert (labels, loaded, kilowatts) == (["compat_copying", "metering"], False, 1.23)
    assert result(project, "--rollback", status="rolled_back", copied=500)


def result(project, *options, **expected):
    """Run the copy and return whether its result has the expected values."""
    found = json.loads(project("-m", "django", "migrate_readings", "--format=json", *options))
    return expected == {name: found[name] for name in expected}
