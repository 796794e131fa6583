"""Measure the time from the start of a server to its first answer: start-up off, nothing to do, many rows to copy.

    python -m benchmarks.startup [--rows N] [--rounds R] [--vendors sqlite postgresql] [--server NAME]

Each round starts the server three times, each time on a copy of a prepared database. TEST_POSTGRES_URL names a
PostgreSQL server; without it only SQLite is measured. The second figure is the ratio to "off". Use an idle machine:
otherwise the noise is larger than the differences.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from tests import legacy  # noqa: E402  needs the settings
from tests.databases import Postgres, connected, manage  # noqa: E402
from tests.startup.servers import COMMANDS, serving  # noqa: E402

CASES = (("off", "off", False), ("nothing to do", "copy", False), ("rows to copy", "copy", True))


class Files:
    """SQLite files."""

    def __init__(self, folder):
        self.folder = folder

    def create(self, name):
        return f"sqlite:///{self.folder / name}.sqlite3"

    @contextmanager
    def copy(self, name):
        for suffix in ("", "-wal", "-shm"):
            if (source := self.folder / f"{name}.sqlite3{suffix}").exists():
                shutil.copy(source, self.folder / f"copy.sqlite3{suffix}")
        yield self.create("copy")
        for file in self.folder.glob("copy.sqlite3*"):
            file.unlink()

    def close(self):
        """Do nothing: the files are deleted with their folder."""


class Databases:
    """Databases of a PostgreSQL server."""

    def __init__(self, url):
        self.server, self.names = Postgres(url), {}

    def create(self, name):
        self.names[name] = self.server.create()
        return self.server.url(self.names[name])

    @contextmanager
    def copy(self, name):
        copy = self.server.create(template=self.names[name])
        yield self.server.url(copy)
        self.server.drop(copy)

    def close(self):
        for name in self.names.values():
            self.server.drop(name)


def prepare(databases, rows):
    """Create a migrated database without legacy readings and one with them."""
    for name, count in (("idle", 0), ("full", rows)):
        url = databases.create(name)
        manage("migrate", "--verbosity=0", url=url, check=0)
        if count:
            with connected("default", url):
                legacy.build("default", count)


def first_answer(server, url, folder, startup):
    """Return the seconds from the start of the process to its first answer."""
    began = time.monotonic()
    with serving(server, url, folder, COMPAT_STARTUP=startup) as running:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/admin/login/", timeout=60):
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.005)


def measure(vendor, databases, options, folder):
    """Print the median of every case."""
    prepare(databases, options.rows)
    times = {case: [] for case, _, _ in CASES}
    for _ in range(options.rounds):
        for case, startup, full in CASES:
            with databases.copy("full" if full else "idle") as url:
                times[case].append(first_answer(options.server, url, folder, startup))
    base, least = statistics.median(times["off"]), min(times["off"])
    for case, seconds in times.items():
        median = statistics.median(seconds)
        print(
            f"{vendor:<11} {case:<14} median {median:5.2f} s, {median / base:4.2f}"
            f"   least {min(seconds):5.2f} s, {min(seconds) / least:4.2f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--vendors", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--server", choices=COMMANDS, default="gunicorn")
    options = parser.parse_args()
    postgres = os.environ.get("TEST_POSTGRES_URL")
    print(f"{options.server}, {options.rows:,} rows, {options.rounds} rounds")
    with tempfile.TemporaryDirectory() as name:
        for vendor in options.vendors:
            if vendor == "postgresql" and not postgres:
                print("postgresql: set TEST_POSTGRES_URL")
                continue
            databases = Files(Path(name)) if vendor == "sqlite" else Databases(postgres)
            try:
                measure(vendor, databases, options, Path(name))
            finally:
                databases.close()


if __name__ == "__main__":
    main()
