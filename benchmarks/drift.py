"""Damage a database in many ways, and count what verification and `sqldiff -a` find and what is repaired.

In the virtual environment of `benchmarks.structure_apps`, with its third-party apps. One of them is django-extensions,
which has the command sqldiff:

    ~/apps/bin/python -m benchmarks.drift [--database URL] [--only WORD] [--verbose]

The project has these apps and the torture models of the tests. It is migrated once: in a new SQLite file, or with the
URL of a PostgreSQL server in the new database `drift_base` there, as a superuser. Each damage is applied to a new copy,
which is verified, repaired as by `--fix --rewrite`, and verified again.

- false: errors and warnings on the clean database; for sqldiff, its differences there;
- found: an error or a warning of the right kind in the right table; for sqldiff: any difference in the right table that
  it does not report on the clean database;
- repaired: of the damages that are called fixable, those that are no longer found and lost no row;
- seconds: one verification or one `sqldiff -a` of the whole clean database, in a process that has run it before.
"""

import argparse
import io
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from benchmarks import structure_apps
from benchmarks.drift_catalogue import BOOK, CATALOGUE, Damage, Written, remade

OWN = ["tests.structure.torture", "tests.structure.history"]
ONLY_POSTGRES = ["tests.structure.pg_torture"]
SQLDIFF = dict.fromkeys(("all_applications", "dense_output", "include_proxy_models", "include_defaults"), False) | {
    "only_existing": True
}
FAILED = "failed: "


class Outcome(NamedTuple):
    """The outcome of one damage."""

    damage: str
    found: bool
    promised: bool
    repaired: bool
    by_sqldiff: bool


class SQLite:
    """A SQLite file and its copies."""

    def __init__(self, folder: str) -> None:
        self.base, self.copy = Path(folder, "base.sqlite3"), Path(folder, "copy.sqlite3")
        self.url = f"sqlite:///{self.base}"

    def renew(self) -> str:
        """Create a new copy and return its name."""
        connection.close()  # merges the write-ahead log into the file
        shutil.copy(self.base, self.copy)
        return str(self.copy)

    def apply(self, damage: Damage) -> None:
        """Apply the damage."""
        sql = remade(damage.table, *damage.sqlite) if isinstance(damage.sqlite, Written) else str(damage.sqlite)
        with connection.constraint_checks_disabled():
            connection.connection.executescript(sql)


class PostgreSQL:
    """A database on a PostgreSQL server and its copies."""

    base, copy = "drift_base", "drift_copy"

    def __init__(self, url: str) -> None:
        head, _, query = url.partition("?")
        self.admin, self.url = url, f"{head.rpartition('/')[0]}/{self.base}" + (f"?{query}" if query else "")
        self.execute(f"DROP DATABASE IF EXISTS {self.base} WITH (FORCE)", f"CREATE DATABASE {self.base}")

    def execute(self, *statements: str) -> None:
        """Execute statements in the database of the administrator."""
        import psycopg2

        with closing(psycopg2.connect(self.admin)) as server:
            server.autocommit = True
            for sql in statements:
                server.cursor().execute(sql)

    def renew(self) -> str:
        """Create a new copy and return its name."""
        connection.close()
        self.execute(f"DROP DATABASE IF EXISTS {self.copy} WITH (FORCE)",
                     f"CREATE DATABASE {self.copy} TEMPLATE {self.base}")  # fmt: skip
        return self.copy

    def apply(self, damage: Damage) -> None:
        """Apply the damage."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT conname FROM pg_constraint WHERE conrelid = '{BOOK}'::regclass AND contype = 'f'")
            (name,) = cursor.fetchone()
            cursor.execute(str(damage.postgresql).replace("{fk}", name))


def prepare(server: SQLite | PostgreSQL) -> None:
    """Set up the project, migrate it, and put rows into the tables that will be damaged."""
    from django.contrib.admin.models import LogEntry
    from django.contrib.auth.models import Group, User

    from tests.structure.conftest import populate

    with connection.cursor() as cursor:
        if isinstance(server, PostgreSQL):
            cursor.execute("CREATE SCHEMA other_schema")
    executor = MigrationExecutor(connection)  # apps without migrations come first below, and refer to users
    executor.migrate(executor.loader.graph.leaf_nodes("auth"))
    call_command("migrate", verbosity=0, run_syncdb=True)
    user = User.objects.create(username="u")
    User.objects.update(last_login="2024-02-29 12:00Z")
    user.groups.add(Group.objects.create(name="g"))
    LogEntry.objects.create(user=user, object_repr="r", action_flag=1)
    populate()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of `work` and its seconds."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def sqldiff(*tables: str) -> set[tuple[str, str]]:
    """Return the differences of `sqldiff -a` as table and text, of these tables or of all, and its failures.

    It runs for each model, because otherwise the first failure would end it.
    """
    from django.apps import apps
    from django_extensions.management.commands.sqldiff import DATABASE_SQLDIFF_CLASSES

    engine = connection.settings_dict["ENGINE"].rpartition(".")[2]
    tool = DATABASE_SQLDIFF_CLASSES[engine]([], SQLDIFF, io.StringIO(), io.StringIO())
    tool.load()
    found = set()
    for model in apps.get_models(include_auto_created=True):
        name, tool.app_models, tool.differences = model._meta.db_table, [model], []
        if not tables or name in tables:
            try:
                tool.find_differences()
            except Exception as error:  # it fails on some models
                found.add((name, f"{FAILED}{error}"))
            found |= {(name, f"{kind} {details}") for _, _, seen in tool.differences for kind, details in seen}
    return found


def count(table: str) -> int | None:
    """Return the number of rows, or None if there is no such table."""
    if table not in connection.introspection.table_names():
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return int(cursor.fetchone()[0])


def measure(server: SQLite | PostgreSQL, damage: Damage, clean: set[tuple[str, str]]) -> Outcome:
    """Damage a copy and return what is found and repaired."""
    from compat.structure.execution import repair
    from compat.structure.verification import verify

    connection.settings_dict["NAME"] = server.renew()
    connection.ensure_connection()
    server.apply(damage)
    rows = count(damage.table)
    report = verify()
    differences = sqldiff(damage.table)
    named = [issue for issue in report.issues if issue.counts and issue.table == damage.table]
    promised = all(issue.fixable for issue in report.issues if issue.counts)
    left = not promised or [issue for issue in repair(rewrite=True).issues if issue.counts]
    return Outcome(
        damage.name,
        found=any(issue.kind.name == damage.kind for issue in named),
        promised=promised,
        repaired=promised and not left and rows in (None, count(damage.table)),
        by_sqldiff=bool(differences - clean),
    )


def table(outcomes: Iterable[Outcome], false: tuple[int, int], seconds: tuple[float, float]) -> str:
    """Return the results as a table; `false` and `seconds`: of verification and sqldiff on the clean database."""
    outcomes = tuple(outcomes)
    promised = [outcome for outcome in outcomes if outcome.promised]
    found, theirs = sum(o.found for o in outcomes), sum(o.by_sqldiff for o in outcomes)
    repaired = f"{sum(o.repaired for o in promised)} of {len(promised)}"
    return f"""
| | false | found | repaired | seconds |
| --- | --- | --- | --- | --- |
| `verify_structure` | {false[0]} | {found} of {len(outcomes)} | {repaired} | {seconds[0]:.2f} |
| `sqldiff -a` | {false[1]} | {theirs} of {len(outcomes)} | | {seconds[1]:.2f} |
"""


def main(options: argparse.Namespace, folder: str) -> None:
    """Run the campaign and print its table."""
    warnings.simplefilter("ignore")
    server = PostgreSQL(options.database) if options.database else SQLite(folder)
    own = OWN + (ONLY_POSTGRES if options.database else [])
    apps = [app for app in structure_apps.APPS.split() if structure_apps.installed(app)]
    structure_apps.configure(server.url, [*apps, *own])
    from compat.structure import verify

    prepare(server)
    verify()  # imports
    (report, ours), (clean, theirs) = timed(verify), timed(sqldiff)
    false = [issue for issue in report.issues if issue.counts]
    failed = sum(text.startswith(FAILED) for _, text in clean)
    vendor = connection.vendor
    damages = [each for each in CATALOGUE if getattr(each, vendor) and options.only in each.name]
    outcomes = [measure(server, damage, clean) for damage in damages]
    version = connection.Database.sqlite_version if vendor == "sqlite" else connection.pg_version
    print(f"{vendor} {version}, Django {django.__version__}: {len({app.partition('.')[0] for app in apps})} packages, "
          f"{report.tables} tables, {len(damages)} kinds of damage; sqldiff fails on {failed} models")  # fmt: skip
    print(table(outcomes, (len(false), len(clean)), (ours, theirs)))
    for text in (*(f"{issue.code} {issue.table}: {issue.message}" for issue in false), *outcomes):
        if options.verbose or isinstance(text, str) or not text.found or text.promised > text.repaired:
            print(f"- {text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL server; default: a new SQLite file")
    parser.add_argument("--only", default="", metavar="WORD", help="only damages whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="print each damage")
    with tempfile.TemporaryDirectory() as name:
        main(parser.parse_args(), name)
