"""The faults."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psycopg2

from benchmarks.faults.scene import DONE, Scene

CORRECTION = (
    "INSERT INTO devices (id, name, ip_address) VALUES (999, 'late', '10.9.9.9'); "
    "UPDATE performance_data SET timestamp = '2001-09-09 01:02:03' WHERE timestamp IS NULL"
)


def killed(scene, *options):
    """Kill the copy."""
    scene.kill(*options)
    scene.finish(*options)
    scene.judge()


def killed_rollback(scene):
    """Kill the rollback, check that it leaves no row, and copy again."""
    scene.finish()
    scene.kill("--rollback")
    scene.roll_back()
    scene.finish()
    scene.judge()


def killed_retry(scene):
    """Correct the rejected rows, and kill their retry."""
    scene.finish()
    scene.execute(CORRECTION)
    scene.kill("--retry-rejected")
    scene.finish("--retry-rejected")
    scene.judge()


def started_together(scene):
    """Start two to eight processes at once and kill one; none may report completion while a run is open."""
    killed, *crowd = [scene.start("--batch-size", "30") for _ in range(scene.chance.randint(2, 8))]
    scene.tally.injected += 1 + len(crowd)
    time.sleep(scene.place.startup * scene.chance.uniform(0.8, 2))
    killed.kill()
    killed.communicate()
    while crowd:
        for process in [process for process in crowd if process.poll() is not None]:
            crowd.remove(process)
            unfinished = scene.rows("SELECT 1 FROM compat_copyrun WHERE state <> 'completed'")
            if scene.end(process) in DONE and unfinished:
                scene.tally.note("a process reported completion while a run was open")
        time.sleep(0.01)
    scene.finish()
    scene.judge()


def disturbed(disturb, scene):
    """Copy while `disturb(scene, cursor, chance)` is repeated, then copy again without it."""
    process, chance = scene.start("--batch-size", "5"), random.Random(scene.chance.random())

    def repeat():
        while process.poll() is None:
            try:
                with scene.connected() as connection:
                    disturb(scene, connection.cursor(), chance)
                    scene.tally.injected += 1
            except (sqlite3.Error, psycopg2.Error) as error:
                scene.tally.note(f"another writer failed: {error}")
            time.sleep(chance.uniform(0.1, 0.8))

    thread = threading.Thread(target=repeat)
    thread.start()
    scene.end(process)
    thread.join()
    scene.finish()
    scene.judge()


def write(scene, cursor, chance):
    """Insert into source and target; on PostgreSQL the lower source key commits late."""
    number, insert = len(scene.live) + 1, "INSERT INTO performance_data SELECT {0}, 1, 7.5, {0}, '2020-01-01 00:00:00'"
    [(key,)] = scene.rows("SELECT max(id) + 1 FROM performance_data")
    if scene.vendor == "postgresql":
        cursor.execute("BEGIN")
        scene.execute(insert.format(key + 1))
    cursor.execute(insert.format(key))
    if scene.vendor == "postgresql":
        time.sleep(chance.uniform(0.05, 0.5))
        cursor.execute("COMMIT")
    moments = "recorded_at, created_at, updated_at"
    into = f"INSERT INTO performance_records (device_id, bandwidth_usage, {moments})"
    cursor.execute(f"{into} VALUES (1, {number}, '2020-01-01', '2020-01-01', '2020-01-01')")
    scene.live.add(number)


def hold(scene, cursor, chance):
    """Hold a lock that the copy needs."""
    cursor.execute("BEGIN IMMEDIATE" if scene.vendor == "sqlite" else "BEGIN")
    if scene.vendor == "postgresql":
        cursor.execute("LOCK TABLE performance_records, compat_copyrange IN EXCLUSIVE MODE")
    time.sleep(chance.uniform(0.1, 2))
    cursor.execute("ROLLBACK")


def terminate(scene, cursor, chance):
    """Terminate the sessions of the copy."""
    cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def bait(scene, cursor, chance):
    """Lock devices in another order than the copy does; the application must not be the deadlock victim."""
    cursor.execute("BEGIN")
    for key in chance.sample(range(1, 9), 4):
        cursor.execute(f"SELECT 1 FROM devices WHERE id = {key} FOR UPDATE")
        time.sleep(chance.uniform(0.01, 0.2))
    cursor.execute("COMMIT")


def delete(scene, cursor, chance):
    """Delete a device. The server refuses it if a copied reading refers to it."""
    try:
        cursor.execute(f"DELETE FROM devices WHERE id = {chance.randint(1, 200)}")
    except psycopg2.IntegrityError:
        return


def shut_down_beside(scene, *options):
    """Shut the server down immediately during the command, as a power failure does, and start it again."""
    process = scene.start("--batch-size", "20", *options)
    time.sleep(scene.place.startup * scene.chance.uniform(0.8, 2))
    scene.place.crash()
    scene.tally.injected += 1
    scene.end(process)


def shut_down(scene):
    """Shut the server down during a copy and during a rollback."""
    defer, workers = scene.chance.choice(["always", "never"]), scene.chance.choice(["1", "2"])
    shut_down_beside(scene, "--defer-indexes", defer, "--workers", workers)
    scene.finish()
    scene.judge()
    shut_down_beside(scene, "--rollback")
    scene.roll_back()


def full_disk(scene):
    """Limit the disk space of the table, then remove the limit."""
    with scene.place.small_disk(scene) as (limit, grow):
        scene.end(scene.start("--batch-size", "100", limit=limit))
        scene.tally.injected += 1
        grow()
        scene.finish()
        scene.judge()


@dataclass(frozen=True)
class Fault:
    """A fault during a copy."""

    name: str
    inject: Callable[[Scene], None]
    vendors: tuple[str, ...] = ("sqlite", "postgresql")
    cross_database: bool = False
    """Whether the rows come from another database, a SQLite file."""


FAULTS = [
    Fault("SIGKILL, copy", killed),
    Fault("SIGKILL, copy, deferred indexes", lambda scene: killed(scene, "--defer-indexes=always")),
    Fault("SIGKILL, copy, two workers", lambda scene: killed(scene, "--workers=2")),
    Fault("SIGKILL, copy from another database", killed, cross_database=True),
    Fault("SIGKILL, rollback", killed_rollback),
    Fault("SIGKILL, retry of rejects", killed_retry),
    Fault("several starters, one killed", started_together),
    Fault("live inserts into source and target", partial(disturbed, write)),
    Fault("lock held for up to 2 s", partial(disturbed, hold)),
    Fault("full disk", full_disk),
    Fault("sessions terminated", partial(disturbed, terminate), vendors=("postgresql",)),
    Fault("deadlock bait", partial(disturbed, bait), vendors=("postgresql",)),
    Fault("devices deleted", partial(disturbed, delete), vendors=("postgresql",)),
    Fault("server shut down at once", shut_down, vendors=("postgresql",)),
]
