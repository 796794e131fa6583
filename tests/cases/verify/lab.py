"""A laboratory: apps whose models, migrations and database differ from test to test, and the commands on them.

A release is a folder with the source of the apps, as a deployment has it. The commands run as `manage.py` runs them;
the SQL runs through the bare driver, as a person runs it in psql or sqlite3.
"""

import importlib
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from textwrap import dedent

import psycopg2
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.test.utils import override_settings

from tests.cases.verify.report import Report, Result
from tests.databases import ROOT, environment

HEADER = """\
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
"""
SETTINGS = """\
from csms_project.settings import *
INSTALLED_APPS = {apps}
ROOT_URLCONF = {urls}
urlpatterns = []
"""
MINIMAL = ["compat.structure"]
STRUCTURE = """
SELECT table_schema, table_name, column_name, data_type, character_maximum_length, datetime_precision, is_nullable,
    column_default FROM information_schema.columns WHERE table_schema !~ '^(pg_|information_schema)'
UNION ALL SELECT n.nspname, t.relname, c.conname, pg_get_constraintdef(c.oid), NULL, NULL, NULL, NULL
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT schemaname, tablename, indexname, indexdef, NULL, NULL, NULL, NULL
    FROM pg_indexes WHERE schemaname !~ '^(pg_|information_schema)'
ORDER BY 1, 2, 3, 4
"""


class Lab:
    """Apps that are written by the test, installed beside `base`, on the database at `url`."""

    def __init__(self, url, folder, base):
        self.url, self.folder, self.base = url, folder, base
        self.vendor = url.partition(":")[0]
        self.settings = ""  # more source for the settings of a process
        self.current, self._releases, self._override, self._apps = None, 0, None, ()

    # Releases

    def release(self, *, migrations=None, make=True, **sources):
        """Write and install a release: the current one with other models; `migrations` maps "app/name" to source.

        With `make`, the migrations that the models need are made too. Return the release, for `use`.
        """
        self._releases += 1
        folder = self.folder / f"release{self._releases}"
        shutil.copytree(self.current, folder) if self.current else folder.mkdir()
        for app, source in sources.items():
            (folder / app / "migrations").mkdir(parents=True, exist_ok=True)
            for package in (folder / app, folder / app / "migrations"):
                (package / "__init__.py").touch()
            (folder / app / "models.py").write_text(HEADER + dedent(source))
        for name, source in (migrations or {}).items():
            app, _, file = name.partition("/")
            path = folder / app / "migrations" / f"{file}.py"
            path.write_text("from django.db import migrations, models\n" + dedent(source)) if source else path.unlink()
        self.use(folder)
        if make and sources:
            result = self.command("makemigrations", *sources, "--noinput", "--skip-checks")
            assert result.code == 0, result
            self.use(folder)
        return folder

    def use(self, folder):
        """Install a release that was written before."""
        self._uninstall()
        self.current = folder
        self._apps = tuple(sorted(path.parent.name for path in folder.glob("*/__init__.py")))
        installed = [*self.base, *self._apps]
        urls = repr(settings.ROOT_URLCONF) if self.base != MINIMAL else "__name__"
        (folder / "lab_settings.py").write_text(SETTINGS.format(apps=installed, urls=urls) + self.settings)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        self._override = override_settings(INSTALLED_APPS=installed)
        self._override.enable()
        get_commands.cache_clear()

    def _uninstall(self):
        if self._override is None:
            return
        self._override.disable()
        self._override = None
        sys.path.remove(str(self.current))
        for name in [name for name in sys.modules if name.partition(".")[0] in self._apps]:
            del sys.modules[name]
        for app in self._apps:
            apps.all_models.pop(app, None)
        apps.clear_cache()
        get_commands.cache_clear()

    def close(self):
        """Leave the process as it was."""
        self._uninstall()

    def create(self, source, **options):
        """Install the app `lab` with these models, and migrate."""
        self.release(lab=source, **options)
        self.migrate()

    def adopt(self, source, *statements):
        """Install the app `lab` with these models beside tables that Django never made."""
        self.release(lab=source)
        self.execute(*statements)

    def migrate(self, *arguments):
        result = self.command("migrate", *arguments, "--verbosity=0", "--skip-checks")
        assert result.code == 0, result
        return result

    def model(self, name, app="lab"):
        return apps.get_model(app, name)

    # Commands

    def command(self, name, *arguments):
        """Run a command in this process, as `manage.py` does."""
        out, err, code = StringIO(), StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                load_command_class(get_commands()[name], name).run_from_argv(["manage.py", name, *arguments])
            except SystemExit as end:
                code = end.code
        return Result(code, out.getvalue(), err.getvalue())

    def process(self, *arguments, **variables):
        """Run `manage.py` on the current release as a process of its own; one that hangs fails the test."""
        variables = {"COMPAT_LOG_LEVEL": "WARNING", **self.variables, **variables}
        run = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=environment(self.url, **variables), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Result(run.returncode, run.stdout, run.stderr)

    @property
    def variables(self):
        """What a process needs in its environment to run the current release."""
        return {"DJANGO_SETTINGS_MODULE": "lab_settings", "PYTHONPATH": str(self.current)}

    def verify(self, *arguments):
        return Report(self.command("verify_structure", "--format=json", *arguments))

    def fix(self, *arguments):
        return self.verify("--fix", *arguments)

    def follow(self, rounds=4):
        """Do what the report says until it says nothing: the repairs, then the statements that it offers."""
        for _ in range(rounds):
            report = self.fix("--rewrite")
            if not report.counted:
                break
            self.execute(*report.offered)
        return self.verify("--fail-on=warning")

    # SQL

    @property
    def key(self):
        """The declaration of an automatic key, as Django makes it."""
        if self.vendor == "sqlite":
            return "integer NOT NULL PRIMARY KEY AUTOINCREMENT"
        return "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"

    def connect(self):
        if self.vendor == "sqlite":
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        return connection

    def execute(self, *statements):
        """Execute statements one by one, as they stand."""
        with closing(self.connect()) as connection:
            for statement in statements:
                if self.vendor == "sqlite":
                    connection.executescript(statement)
                else:
                    connection.cursor().execute(statement)

    def rows(self, query):
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()

    def value(self, query):
        """The only value of a query."""
        ((value,),) = self.rows(query)
        return value

    def tables(self):
        listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if self.vendor != "sqlite":
            listed = "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
        return {name for (name,) in self.rows(listed)}

    def columns(self, table):
        """The declared types of a table's columns by name."""
        if self.vendor == "sqlite":
            return dict(self.rows(f"SELECT name, lower(type) FROM pragma_table_info('{table}')"))
        listed = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0"
        return dict(self.rows(f"{listed} AND NOT attisdropped AND attrelid = '\"{table}\"'::regclass"))

    def structure(self):
        """The whole structure, to be compared with another moment's."""
        if self.vendor == "sqlite":
            return self.rows("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
        return self.rows(STRUCTURE)

    def recorded(self, app="lab"):
        """The names of an app's recorded migrations."""
        if "django_migrations" not in self.tables():
            return []
        return [name for (name,) in self.rows(f"SELECT name FROM django_migrations WHERE app = '{app}' ORDER BY id")]

    def forget(self, app="lab"):
        """Take an app out of the recorded history, as in a database that Django never migrated."""
        self.execute(f"DELETE FROM django_migrations WHERE app = '{app}'")

    def redeclare(self, table, *changes):
        """On SQLite: change the text of a table's declaration, as older versions wrote it; the rows stay."""
        (sql,) = (sql for (sql,) in self.rows(f"SELECT sql FROM sqlite_master WHERE name = '{table}'"))
        for old, new in changes:
            assert old in sql, sql
            sql = sql.replace(old, new)
        text = sql.replace("'", "''")
        self.execute(f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = '{text}' WHERE name = '{table}'")

    def rebuild(self, table, *changes):
        """On SQLite: make a table anew from its changed declaration, without its indexes; the rows stay."""
        (sql,) = (sql for (sql,) in self.rows(f"SELECT sql FROM sqlite_master WHERE name = '{table}'"))
        for old, new in changes:
            assert old in sql, sql
            sql = sql.replace(old, new)
        self.execute(
            f"PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE {table} RENAME TO former;"
            f"{sql}; INSERT INTO {table} SELECT * FROM former; DROP TABLE former"
        )

    def configure(self, **parameters):
        """On PostgreSQL: give every later session of the database these parameters."""
        name = self.value("SELECT current_database()")
        self.execute(*(f"ALTER DATABASE {name} SET {parameter} = '{value}'" for parameter, value in parameters.items()))

    def constraint(self, table, kind, column=None):
        """On PostgreSQL: the name of the table's only constraint of a kind (p, u, f, c), or of those on a column."""
        listed = f"SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = '{kind}'"
        if column:
            listed += f" AND pg_get_constraintdef(oid) ~ '\\m{column}\\M'"
        return self.value(listed)

    def count_rewrites(self):
        """On PostgreSQL: count from now on how often the server writes a table anew; see `rewrites`."""
        self.execute(
            "CREATE TABLE public.lab_rewrites (name text)",
            "CREATE FUNCTION public.lab_note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO public.lab_rewrites VALUES (pg_event_trigger_table_rewrite_oid()::regclass::text); END $$",
            "CREATE EVENT TRIGGER lab_note ON table_rewrite EXECUTE FUNCTION public.lab_note()",
        )

    def rewrites(self, table):
        return self.value(f"SELECT count(*) FROM public.lab_rewrites WHERE name = '{table}'")
