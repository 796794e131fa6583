"""Real databases for tests: SQLite files, and databases on a PostgreSQL server that the suite starts itself."""

import itertools
import os
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connections
from django.db.utils import ConnectionHandler

from csms_project.databases import served

try:  # in Django's own order
    import psycopg as driver
except ModuleNotFoundError:
    import psycopg2 as driver

ROOT = Path(__file__).resolve().parent.parent
_numbers = itertools.count(1)


class Postgres:
    """A PostgreSQL server on which every test gets a database of its own."""

    def __init__(self, admin_url):
        self.admin_url = admin_url

    def execute(self, statement):
        with closing(driver.connect(self.admin_url)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    def url(self, name):
        head, _, query = self.admin_url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    def create(self, template="template1"):
        name = f"csms_test_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name):
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def connected(alias, url):
    """Point the connection `alias` at `url` for the length of the block."""
    former = connections.settings.get(alias)
    _forget(alias)
    config = served("DATABASE_URL", url)
    connections.settings[alias] = ConnectionHandler({"default": config}).settings["default"]
    try:
        yield alias
    finally:
        _forget(alias)
        if former is None:
            del connections.settings[alias]
        else:
            connections.settings[alias] = former


def _forget(alias):
    if alias in connections.settings:
        connections[alias].close()
        del connections[alias]


def environment(url, **variables):
    """Return the environment of a process whose default database is `url`."""
    settings = {"DJANGO_SETTINGS_MODULE": "csms_project.settings", "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **settings, **variables}


def manage(*arguments, url, check=None, **variables):
    """Run `manage.py` as a real process; with `check`, assert its exit code."""
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment(url, **variables), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if check is not None:
        assert result.returncode == check, result.stdout + result.stderr
    return result
