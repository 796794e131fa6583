"""Rows that conflict with a repair are named, and everything else is repaired."""

import pytest
from django.db import DatabaseError, connection, transaction

from compat.database.errors import Failure
from compat.structure.dialects.postgresql.conversions import changed_values
from compat.structure.execution import repair
from compat.structure.findings import Severity
from compat.structure.inspection import connected_dialect
from compat.structure.verification import plan, verify
from tests.structure import legacy
from tests.structure.conftest import execute, rows


def hints(report, kind):
    return [issue.hint for issue in report.issues if issue.kind.name == kind and issue.counts]


def test_duplicates_block_a_unique_constraint_and_nothing_else(empty):
    legacy.build()
    execute("UPDATE devices SET ip_address = '10.0.0.1'")
    report = repair(rewrite=True)
    assert [issue.kind.name for issue in report.issues if issue.counts] == ["unique"]
    (hint,) = hints(report, "unique")
    assert "10.0.0.1" in hint
    assert "List all: SELECT" in hint
    assert rows("SELECT count(*) FROM thresholds") == [(0,)]
    execute("UPDATE devices SET ip_address = 'x' || id")
    assert repair(rewrite=True).status == "ok"


def test_orphans_block_a_foreign_key(migrated):
    execute("DROP TABLE thresholds")
    repair()
    execute("DROP TABLE performance_records")
    execute("CREATE TABLE performance_records AS SELECT * FROM (SELECT 1 AS id, 77 AS device_id) x")
    report = repair(rewrite=True)
    assert any("1 row refers by (device_id) to no row of devices" in hint for hint in hints(report, "foreign_key"))
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
    (hint,) = hints(repair(rewrite=True), "nullability")
    assert hint.startswith("1 row has NULL in name, for example 2. List all: SELECT")
    assert rows("SELECT name FROM devices ORDER BY id") == [("a",), (None,), ("c",)]


def test_values_that_do_not_convert_block_a_type(empty):
    legacy.build()
    remake_devices(TEXT_KEYS)
    (hint,) = hints(repair(rewrite=True), "type")
    assert "one" in hint
    assert rows("SELECT id FROM devices ORDER BY name") == [("2",), ("one",)]


def test_a_required_column_without_a_value_is_blocked(migrated):
    execute("INSERT INTO devices (id, name, ip_address, created_at, updated_at) "
            "VALUES (7, 'n', 'i', '2020-01-01', '2020-01-01')")  # fmt: skip
    execute("DROP TABLE thresholds", "ALTER TABLE devices DROP COLUMN name")
    planned = plan(rewrite=True)
    (issue,) = (issue for issue in planned.report.issues if issue.object == "name")
    assert issue.hint.startswith("1 row needs a value for the new column name")
    assert not issue.fixable
    assert not any("devices" in sql and "name" in sql and "thresholds" not in sql for sql in planned.statements)
    assert repair(rewrite=True).missing_tables == ()


def test_duplicates_block_in_the_dry_run_too(empty):
    legacy.build()
    execute("UPDATE devices SET ip_address = '10.0.0.1'")
    (hint,) = hints(plan(rewrite=True).report, "unique")
    assert "10.0.0.1" in hint


def test_fixable_means_that_no_row_conflicts(empty, settings):
    legacy.build()
    execute("UPDATE devices SET ip_address = '10.0.0.1'")

    def told():
        return next((issue.fixable, issue.hint) for issue in verify().issues if issue.kind.name == "unique")

    fixable, hint = told()
    assert not fixable
    assert hint.startswith("1 value of (ip_address) is duplicated, for example 10.0.0.1. List all:")
    settings.COMPAT_STRUCTURE_LARGE_TABLE = 0
    fixable, hint = told()
    assert fixable
    assert "Not checked against the data" in hint


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_a_data_check_ends_when_its_time_is_up(migrated):
    dialect = connected_dialect("default")
    with pytest.raises(DatabaseError) as raised, dialect.session.reading(0.05):
        rows(ENDLESS[connection.vendor])
    assert dialect.database.failure(raised.value) is Failure.STATEMENT_TIMEOUT
    assert verify().status == "ok"


LOST = [
    ("timestamp without time zone", "date", "2020-02-29 13:45:00", "2020-02-29 00:00:00"),
    ("timestamp with time zone", "date", "2020-02-29 13:45:00+00", "2020-02-29 00:00:00+00"),
    ("timestamp with time zone", "timestamp(0) with time zone", "2020-02-29 13:45:00.5+00", "2020-02-29 13:45:00+00"),
    ("timestamp without time zone", "time without time zone", "2020-02-29 13:45:00", None),
    ("timestamp without time zone", "timestamp(0) with time zone", "2020-02-29 13:45:00.5", "2020-02-29 13:45:00"),
    ("numeric(12,4)", "numeric(10,2)", "1.2345", "1.2300"),
    ("numeric", "numeric(10,1)", "1.25", "1.50"),
    ("numeric", "double precision", "0.12345678901234567890", "0.5"),
    ("double precision", "numeric(10,2)", "0.123", "0.12"),
    ("double precision", "integer", "1.5", "2"),
    ("double precision", "real", "0.1", "0.5"),
    ("bigint", "double precision", "9007199254740993", "5"),
    ("integer", "boolean", "5", "1"),
    ("interval", "time without time zone", "25:00:00", "13:00:00"),
    ("interval", "interval(0)", "00:00:01.5", "00:00:01"),
    ("interval", "interval year to month", "1 year 3 days", "1 year"),
    ("inet", "cidr", "10.0.0.1/24", "10.0.0.0/24"),
    ("json", "jsonb", '{"a": [{"b": 1, "b": 2}]}', '{"b": 1, "a": [1, {"c": null}]}'),
    ("text", "jsonb", '{"a": 1, "a": 2}', '{"b": 1,"a":[]}'),
    ("text", "date", "2020-02-29 13:45", "2020-02-29"),
    ("text", "time without time zone", "13:45:00.5 +02:00", "13:45"),
    ("text", "timestamp without time zone", "2020-02-29 13:45+05", "2020-02-29 13:45"),
    ("text", "integer", "007", "7"),
    ("text", "numeric(10,2)", "1.255", "1.5"),
    ("character varying(9)", "character(9)", "ab  ", "ab"),
    ("text", "character varying(3)", "abcd", "abc"),
    ("text[]", "character varying(3)[]", "{abcd}", "{abc}"),
]


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize(("old", "new", "lost", "kept"), LOST, ids=[f"{old}-{new}" for old, new, *_ in LOST])
def test_a_value_that_a_change_of_type_would_alter_is_found(migrated, old, new, lost, kept):
    execute(f"CREATE TEMPORARY TABLE one_value (v {old})")
    condition = changed_values('"v"', old, new, "UTC")

    def is_lost(value):
        execute(f"TRUNCATE one_value; INSERT INTO one_value VALUES ('{value}')")
        try:
            with transaction.atomic():
                return rows(f"SELECT count(*) FROM one_value WHERE {condition}") == [(1,)]
        except DatabaseError:
            return True  # such a value cannot be converted at all

    assert is_lost(lost)
    assert kept is None or not is_lost(kept)


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_time_blocks_the_change_to_a_date(torture):
    execute("ALTER TABLE torture_everyfield ALTER date TYPE timestamptz")
    execute("UPDATE torture_everyfield SET date = '2020-02-29 13:45+00' WHERE char = 'c1'")
    (hint,) = hints(repair(rewrite=True), "type")
    assert hint.startswith("1 row has a value of date that date cannot hold unchanged, for example ")
    assert "13, 45" in hint
    execute("UPDATE torture_everyfield SET date = '2020-02-29'")
    assert repair(rewrite=True).status == "ok"


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_rows_that_exclude_each_other_are_named(torture):
    execute("ALTER TABLE pg_torture_everything DROP CONSTRAINT pg_no_overlap")
    for title, start, end in (("a", "10:00", "11:00"), ("b", "10:30", "12:00")):
        execute("INSERT INTO pg_torture_everything (title, body, room, data, starts, ends) "
                f"VALUES ('{title}', '', 1, '{{}}', '2020-02-29 {start}', '2020-02-29 {end}')")  # fmt: skip
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    (hint,) = hints(repair(rewrite=True), "exclusion")
    assert hint.startswith('The database refused: could not create exclusion constraint "pg_no_overlap". Key ')
    assert "2020-02-29 10:30" in hint


def judged(*statements):
    """Damage, and return what verification says; a repair must run what its dry run shows."""
    execute(*statements)
    report = verify()
    shown = plan(rewrite=True).statements
    assert repair(rewrite=True).statements == shown
    return {(issue.kind.name, issue.object): issue for issue in report.issues if issue.counts}


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_what_needs_a_column_that_cannot_be_added_waits(own_torture):
    found = judged("ALTER TABLE torture_line DROP COLUMN amount")
    blocked = [issue for issue in found.values() if not issue.fixable]
    assert {issue.kind.name for issue in blocked} == {"missing_column", "check", "unique", "index"}
    assert "Repair the column amount first: 3 rows need a value" in found["index", "line_amount_price"].hint


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_what_needs_a_column_of_another_type_waits(own_torture):
    found = judged(
        "ALTER TABLE torture_everyfield DROP COLUMN doubled, DROP CONSTRAINT torture_everyfield_positive_check, "
        "ALTER positive TYPE text, ALTER integer TYPE text",
        "UPDATE torture_everyfield SET positive = 'many', integer = 'few'",
    )
    assert not any(issue.fixable for issue in found.values())
    assert found["check", "torture_everyfield_positive_check"].hint.startswith("Repair the column positive first: ")
    assert found["missing_column", "doubled"].hint.startswith("Repair the column integer first: ")


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_unique_column_is_not_filled_with_one_value(own_torture):
    found = judged("ALTER TABLE torture_everyfield DROP COLUMN uuid")
    assert found["missing_column", "uuid"].hint.startswith("each of 3 rows needs its own value")
    assert not any(issue.fixable for issue in found.values())


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_rows_that_refer_to_a_missing_table_block_the_key(own_torture):
    found = judged("DROP TABLE history_writer CASCADE")
    (issue,) = (issue for issue in found.values() if issue.kind.name == "foreign_key" and issue.table == "history_book")
    assert issue.hint.startswith("1 row refers by (writer_id) to history_writer, which is missing, for example 1.")


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_view_keeps_a_type_from_being_changed(own_torture):
    found = judged(
        "ALTER TABLE torture_everyfield ALTER email TYPE varchar(300)",
        "CREATE VIEW shown AS SELECT email FROM torture_everyfield",
    )
    assert found["type", "email"].hint.startswith(
        "1 view or rule shows the column email; drop it, run verify_structure --fix --rewrite, "
    )


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_sequence_that_has_ended_is_an_error_and_never_lowered(own_torture):
    name = "torture_line_id_seq"
    found = judged(f"ALTER SEQUENCE {name} MAXVALUE 10", f"SELECT setval('{name}', 10)")
    assert found["sequence", "id"].severity is Severity.ERROR
    assert rows(f"SELECT nextval('{name}')") == [(11,)]
