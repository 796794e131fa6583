"""A legacy database for the demonstration: devices, readings with a daily pattern, and a few invalid rows.

The random numbers are seeded, so the readings are always the same. The tables are those of an earlier
Flask-SQLAlchemy application.
"""

import math
import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE device_types (id INTEGER NOT NULL, name VARCHAR(64) NOT NULL, description VARCHAR(200),
    PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE devices (id INTEGER NOT NULL, name VARCHAR(100) NOT NULL, ip_address VARCHAR(45) NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE performance_data (id INTEGER NOT NULL, device_id INTEGER NOT NULL, cpu_usage FLOAT, memory_usage FLOAT,
    timestamp DATETIME, PRIMARY KEY (id), FOREIGN KEY(device_id) REFERENCES devices (id));
CREATE INDEX ix_performance_data_timestamp ON performance_data (timestamp);
"""
TYPES = ("server", "switch", "router", "storage", "firewall")
DEVICES = 200
DAYS = 7
INTERVAL = timedelta(minutes=10)
START = datetime(2024, 3, 4)  # noqa: DTZ001  the legacy application wrote times without a zone
READINGS = DEVICES * (timedelta(days=DAYS) // INTERVAL)
INVALID = (
    "UPDATE performance_data SET cpu_usage = 'n/a' WHERE id % 50000 = 1000",
    "UPDATE performance_data SET timestamp = NULL WHERE id % 70000 = 2001",
)
REJECTS = ("SELECT source_pk, reason FROM compat_rejectedrow ORDER BY source_pk",)
CORRECTIONS = (
    "UPDATE performance_data SET cpu_usage = NULL WHERE cpu_usage = 'n/a'",
    "UPDATE performance_data SET timestamp = (SELECT p.timestamp FROM performance_data p"
    " WHERE p.id = performance_data.id - 1) WHERE timestamp IS NULL",
)
"""SQL that corrects the invalid rows. A reading without a time gets the time of the row before it."""

Reading = tuple[int, float, float | None, str]


def build(file: Path) -> None:
    """Create the legacy database as the new file `file`."""
    seeded = random.Random(2024)  # noqa: S311  not a secret
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO device_types (name) VALUES (?)", [(name,) for name in TYPES])
        connection.executemany(
            "INSERT INTO devices (name, ip_address) VALUES (?, ?)",
            [(f"{TYPES[number % len(TYPES)]}-{number}", f"10.0.0.{number}") for number in range(1, DEVICES + 1)],
        )
        insert = "INSERT INTO performance_data (device_id, cpu_usage, memory_usage, timestamp) VALUES (?, ?, ?, ?)"
        connection.executemany(insert, readings(seeded))
        for statement in INVALID:
            connection.execute(statement)


def execute(file: Path, statements: Iterable[str]) -> list[tuple[Any, ...]]:
    """Run statements on the database `file` and return their rows."""
    with closing(sqlite3.connect(file)) as connection, connection:
        return [row for statement in statements for row in connection.execute(statement)]


def readings(seeded: random.Random) -> Iterator[Reading]:
    """Yield the readings of all devices ordered by time: high by day, low by night and at the weekend."""
    levels = [(seeded.uniform(5, 30), seeded.uniform(10, 50), seeded.uniform(20, 70)) for _ in range(DEVICES)]
    for step in range(READINGS // DEVICES):
        moment = START + step * INTERVAL
        text, load = f"{moment:%Y-%m-%d %H:%M:%S}.000000", _load(moment)
        for device, (base, swing, memory) in enumerate(levels, start=1):
            cpu = min(100.0, max(0.0, base + swing * load + seeded.gauss(0, 3)))
            used = None if device % 10 == 0 else min(100.0, memory + 10 * load + seeded.gauss(0, 1))
            yield device, round(cpu, 2), used if used is None else round(used, 2), text


def _load(moment: datetime) -> float:
    """Return the load at `moment`, from 0 at night to 1 in the early afternoon of a working day."""
    hour = moment.hour + moment.minute / 60
    load = max(0.0, math.cos((hour - 14) / 24 * 2 * math.pi))
    return load * (0.3 if moment.weekday() >= 5 else 1.0)
