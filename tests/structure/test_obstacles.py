"""Rows that stand in the way of a repair are named, and everything else is repaired."""

from django.db import connection

from compat.structure.findings import Kind
from compat.structure.repair import repair
from tests.structure import legacy
from tests.structure.conftest import execute, rows


def hints(report, kind):
    return [issue.hint for issue in report.issues if issue.kind is kind and issue.counts]


def test_duplicates_block_a_unique_constraint_and_nothing_else(empty):
    legacy.build()
    execute("UPDATE devices SET ip_address = '10.0.0.1'")
    report = repair(rewrite=True)
    assert [issue.kind for issue in report.issues if issue.counts] == [Kind.UNIQUE]
    (hint,) = hints(report, Kind.UNIQUE)
    assert "10.0.0.1" in hint
    assert "To see them all: SELECT" in hint
    assert rows("SELECT count(*) FROM thresholds") == [(0,)]
    execute("UPDATE devices SET ip_address = 'x' || id")
    assert repair(rewrite=True).status == "ok"


def test_orphans_block_a_foreign_key(migrated):
    execute("DROP TABLE thresholds")
    repair()
    execute("DROP TABLE performance_records")
    execute("CREATE TABLE performance_records AS SELECT * FROM (SELECT 1 AS id, 77 AS device_id) x")
    report = repair(rewrite=True)
    assert any("refer by (device_id) to no row of devices" in hint for hint in hints(report, Kind.FOREIGN_KEY))
    assert rows("SELECT device_id FROM performance_records") == [(77,)]


LOOSE = """
CREATE TABLE devices (id {serial} PRIMARY KEY, name VARCHAR(100), ip_address VARCHAR(45) NOT NULL);
INSERT INTO devices VALUES (1, 'a', 'a'), (2, NULL, 'b'), (3, 'c', 'c')
"""
TEXT_KEYS = """
CREATE TABLE devices (id VARCHAR(9) NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, ip_address VARCHAR(45) NOT NULL);
INSERT INTO devices VALUES ('one', 'n', 'i'), ('2', 'm', 'j')
"""


def remake_devices(script):
    serial = "BIGSERIAL" if connection.vendor == "postgresql" else "INTEGER"
    execute("DROP TABLE performance_data", "DROP TABLE devices", *script.format(serial=serial).split(";"))


def test_null_blocks_not_null(empty):
    legacy.build()
    remake_devices(LOOSE)
    (hint,) = hints(repair(rewrite=True), Kind.NULLABILITY)
    assert hint.startswith("1 rows hold NULL in name, such as 2. To see them all: SELECT")
    assert rows("SELECT name FROM devices ORDER BY id") == [("a",), (None,), ("c",)]


def test_values_that_do_not_convert_block_a_type(empty):
    legacy.build()
    remake_devices(TEXT_KEYS)
    (hint,) = hints(repair(rewrite=True), Kind.TYPE)
    assert "one" in hint
    assert rows("SELECT id FROM devices ORDER BY name") == [("2",), ("one",)]
