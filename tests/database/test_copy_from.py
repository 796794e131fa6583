"""COPY through whichever driver Django uses."""

import pytest
from django.db import DataError, connections, transaction

from compat.database.dialects import dialect_of

COPY = "COPY numbers (n) FROM STDIN"


@pytest.fixture
def cursor(empty):
    with connections[empty].cursor() as cursor:
        cursor.execute("CREATE TABLE numbers (n integer)")
        yield cursor


def stored(cursor):
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    return [number for (number,) in cursor.fetchall()]


@pytest.mark.parametrize("vendor", ["postgresql"])
class TestCopyFrom:
    def test_all_chunks_arrive(self, cursor):
        chunks = (text for text in ("1\n2\n", "", "3\n"))
        assert dialect_of(cursor.db).copy_from(cursor, COPY, chunks) == 3
        assert stored(cursor) == [1, 2, 3]

    def test_no_rows(self, cursor):
        assert dialect_of(cursor.db).copy_from(cursor, COPY, []) == 0

    def test_a_refused_row_is_a_django_error(self, cursor):
        with pytest.raises(DataError, match="invalid input syntax"), transaction.atomic():
            dialect_of(cursor.db).copy_from(cursor, COPY, ["1\n", "x\n"])
        assert stored(cursor) == []

    def test_an_error_of_the_source_is_raised_as_it_is(self, cursor):
        def chunks():
            yield "1\n"
            raise LookupError("the source failed")

        with pytest.raises(LookupError, match="the source failed"), transaction.atomic():
            dialect_of(cursor.db).copy_from(cursor, COPY, chunks())
        assert stored(cursor) == []
