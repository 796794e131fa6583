"""Database errors are classified by the server's own code, on every database."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from compat.database.dialects import dialect_of
from compat.database.errors import Failure, UnsupportedDatabase
from compat.database.retry import failure_of
from tests.databases import connected


def run(using, *statements):
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def failure(using, *statements):
    """Return how the error of the last statement is classified."""
    try:
        with transaction.atomic(using=using):
            run(using, *statements)
    except (DatabaseError, InterfaceError) as error:
        return failure_of(error, using)
    raise AssertionError("the statement succeeded")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO device_types (id, name, description) VALUES (1, 'a', ''), (1, 'b', '')", Failure.ROW),
        ("INSERT INTO device_types (id) VALUES (NULL)", Failure.ROW),
        ("SELECT nonsense FROM nowhere", Failure.OTHER),
    ],
)
def test_errors_of_statements(migrated, statement, expected):
    assert failure(migrated, statement) is expected


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["SELECT 1 / 0"], Failure.ROW),
        (["SELECT 'x'::integer"], Failure.ROW),
        (["SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(1)"], Failure.STATEMENT_TIMEOUT),
        (["SET TRANSACTION READ ONLY", "CREATE TABLE t (id int)"], Failure.READ_ONLY),
        (
            ["CREATE ROLE reader", "SET LOCAL ROLE reader", "SELECT * FROM devices"],
            Failure.PERMISSION,
        ),
        (["DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$"], Failure.CONFLICT),
        (["DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53100'; END $$"], Failure.RESOURCES),
        (["DO $$ BEGIN RAISE EXCEPTION 'by a trigger'; END $$"], Failure.ROW),
        (["SELECT pg_terminate_backend(pg_backend_pid())"], Failure.CONNECTION),
    ],
)
def test_errors_of_postgresql(migrated, statements, expected):
    assert failure(migrated, *statements) is expected


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_closed_connection_is_a_lost_one(migrated):
    run(migrated, "SELECT 1")
    connections[migrated].connection.close()
    with pytest.raises((InterfaceError, OperationalError)) as raised:
        run(migrated, "SELECT 1")
    assert failure_of(raised.value, migrated) is Failure.CONNECTION
    connections[migrated].close()


@contextmanager
def second_connection(url):
    with connected("other", url) as other:
        yield other


def test_a_held_lock_is_a_lock_timeout(migrated, migrated_url, vendor):
    with second_connection(migrated_url) as other, transaction.atomic(using=other):
        if vendor == "sqlite":
            run(other, "INSERT INTO device_types (name, description, created_at, updated_at) VALUES ('a', '', 0, 0)")
            connections[migrated].ensure_connection()
            run(migrated, "PRAGMA busy_timeout = 20")
            with pytest.raises(OperationalError) as raised, transaction.atomic(using=migrated):
                run(migrated, "DELETE FROM device_types")
            assert failure_of(raised.value, migrated) is Failure.LOCK_TIMEOUT
        else:
            run(other, "LOCK TABLE device_types")
            assert failure(migrated, "SET LOCAL lock_timeout = '20ms'", "DELETE FROM device_types") is (
                Failure.LOCK_TIMEOUT
            )


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_read_only_file(migrated):
    run(migrated, "PRAGMA query_only = 1")
    assert failure(migrated, "DELETE FROM devices") is Failure.READ_ONLY


def test_an_error_from_elsewhere_is_no_database_failure(migrated):
    assert failure_of(ValueError("x"), migrated) is Failure.OTHER


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_unknown_database_is_refused(migrated):
    class Oracle:
        vendor, display_name = "oracle", "Oracle"

    with pytest.raises(UnsupportedDatabase, match=r"Oracle is not supported\. .*postgresql, sqlite"):
        dialect_of(Oracle())
