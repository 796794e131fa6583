"""A database with a fault, the processes that work on it, and the check of the result."""

import json
import random
import resource
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg2

from tests.databases import ROOT, environment

DONE = {"completed", "nothing_to_do", "rolled_back"}
READINGS = "SELECT id, device_id, cpu_usage, memory_usage, substr(CAST(timestamp AS text), 1, 19) FROM performance_data"
MOMENT = {
    "sqlite": "substr(recorded_at, 1, 19)",
    "postgresql": "to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
}
SHAPE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'performance_records' ORDER BY 1",
    "postgresql": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index "
    "WHERE indrelid = 'performance_records'::regclass UNION SELECT conname, pg_get_constraintdef(oid), convalidated "
    "FROM pg_constraint WHERE conrelid = 'performance_records'::regclass ORDER BY 1, 2",
}


@dataclass
class Tally:
    """The counts of one fault in all its trials."""

    injected: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    odd: int = 0
    judged: int = 0
    equal: int = 0
    remarks: list[str] = field(default_factory=list)

    def add(self, lost=0, duplicated=0, wrong=0, *, whole=True):
        """Count the result of one check."""
        self.lost, self.duplicated, self.wrong = self.lost + lost, self.duplicated + duplicated, self.wrong + wrong
        self.judged += 1
        if whole and not (lost or duplicated or wrong):
            self.equal += 1
        else:
            changed = "" if whole else ", indexes or constraints differ"
            self.remarks.append(f"{lost} lost, {duplicated} duplicated, {wrong} wrong{changed}")

    def note(self, remark):
        """Count an unexpected event."""
        self.odd += 1
        self.remarks.append(remark)


@dataclass
class Scene:
    """A new database, the processes that work on it, and the check of the result."""

    vendor: str
    url: str
    place: object
    chance: random.Random
    tally: Tally
    source: "Scene | None" = None
    live: set = field(default_factory=set)

    def __post_init__(self):
        self.shape = self.rows(SHAPE[self.vendor])
        self.session = {}
        if self.vendor == "postgresql":  # as `local` the server checks foreign keys row by row
            self.session["PGOPTIONS"] = f"-c session_replication_role={self.chance.choice(['origin', 'local'])}"

    @contextmanager
    def connected(self):
        """Yield a separate connection in autocommit."""
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
        """Run statements, each in its own transaction."""
        with self.connected() as connection:
            for statement in script.split(";"):
                connection.cursor().execute(statement)

    def start(self, *options, limit=None):
        """Start the command as a process; `limit` is the largest file in bytes that it may write."""
        legacy = {"LEGACY_DATABASE_URL": self.source.url} if self.source else {}
        options = [*options, "--format=json", f"--source={'legacy' if self.source else 'default'}"]
        return subprocess.Popen(
            [sys.executable, "manage.py", "migrate_performance", *options],
            cwd=ROOT, env=environment(self.url, **self.session, **legacy), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=limit and partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip

    def end(self, process):
        """Wait for a process and return its status."""
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            out, err = "", "the process did not end"
        if "Traceback" in err or not out:
            self.tally.note(f"exit {process.returncode}: {err.strip().rpartition(chr(10))[2]}")
        return json.loads(out)["status"] if out else None

    def finish(self, *options):
        """Run the command until it is done."""
        if not any(self.end(self.start(*options)) in DONE for _ in range(6)):
            self.tally.note(f"not done {' '.join(options)}")

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
        duplicated = sum(max(0, there[row] - n) for wanted, there in sides for row, n in wanted.items())
        wrong = sum(n for wanted, there in sides for row, n in there.items() if row not in wanted)
        self.tally.add(lost, duplicated, wrong, whole=self.rows(SHAPE[self.vendor]) == self.shape)

    def roll_back(self):
        """Roll back completely and count the remaining rows; the target has only copied rows."""
        self.finish("--rollback")
        self.tally.add(wrong=self.rows("SELECT count(*) FROM performance_records")[0][0])

    def kill(self, *options):
        """SIGKILL the command at random moments, at most six times, until it ends by itself."""
        for _ in range(6):
            process = self.start(*options, "--batch-size", self.chance.choice(["1", "5", "30", "200"]))
            try:
                process.wait(self.place.startup * self.chance.uniform(0.8, 2))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.tally.injected += 1
            else:
                self.end(process)
                return
