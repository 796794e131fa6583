"""COPY into PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Loading, StagedColumn
from compat.copying.dialects.neutral import Kind, kind_of
from compat.database.dialects import dialect_of

CHUNK_ROWS = 500
STAGED = {
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "smallint",
    Kind.DURATION: "bigint",
    Kind.FLOAT: "double precision",
    Kind.BINARY: "bytea",
}
"""The types in which neutral values are staged; all other kinds are staged as text."""
NULL = "None"
"""How `%s` writes None. A text with these letters is escaped."""
FREE_TEXT = {Kind.TEXT, Kind.JSON, Kind.UUID, Kind.ADDRESS, Kind.OTHER}
"""Kinds whose text may hold what COPY's text format escapes, https://www.postgresql.org/docs/current/sql-copy.html."""


class PostgreSQLLoading(Loading):
    """A temporary table, filled by COPY while the source is read."""

    table = "pg_temp.compat_stage"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Write numbers so that they read back to the last bit, and dates in ISO form."""
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL extra_float_digits = 3; SET LOCAL datestyle = 'ISO, YMD'")
            yield

    def create(self, cursor: CursorWrapper, columns: Sequence[StagedColumn]) -> None:
        """Temporary tables of a transaction that is rolled back go with it."""
        cursor.execute(f"DROP TABLE IF EXISTS {self.table}")
        definitions = ", ".join(f"{column.name} {self._type(column)}" for column in columns)
        cursor.execute(f"CREATE TABLE {self.table} ({definitions})")

    def load(self, cursor: CursorWrapper, columns: Sequence[StagedColumn], rows: CursorWrapper) -> int:
        """Use COPY."""
        names = ", ".join(column.name for column in columns)
        copy = f"COPY {self.table} ({names}) FROM STDIN (NULL '{NULL}')"
        loaded: int = dialect_of(self.connection).copy_from(cursor, copy, self._lines(columns, rows))  # type: ignore[attr-defined]
        return loaded

    def _lines(self, columns: Sequence[StagedColumn], rows: CursorWrapper) -> Iterator[str]:
        """Yield rows in COPY's text format, made while they are read, so that reading and writing overlap."""
        line = "\t".join(["%s"] * len(columns)) + "\n"
        escapes = [(number, escape) for number, column in enumerate(columns) if (escape := self._escape(column))]
        while chunk := rows.fetchmany(CHUNK_ROWS):
            yield "".join([line % row for row in (_escaped(chunk, escapes) if escapes else chunk)])

    def _type(self, column: StagedColumn) -> str:
        return "text" if column.field is None else STAGED.get(kind_of(column.field), "text")

    def _escape(self, column: StagedColumn) -> Callable[[Any], str] | None:
        """Return how the values of a column are escaped; None where no value needs it."""
        kind = None if column.field is None else kind_of(column.field)
        if kind is Kind.BINARY:
            return _hexadecimal
        return _escape_text if kind in FREE_TEXT else None


def _escaped(rows: list[tuple[Any, ...]], escapes: list[tuple[int, Callable[[Any], str]]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        values = list(row)
        for number, escape in escapes:
            if values[number] is not None:
                values[number] = escape(values[number])
        yield tuple(values)


def _escape_text(value: object) -> str:
    text = str(value)
    if text == NULL:
        return f"\\{text}"
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _hexadecimal(value: bytes | memoryview) -> str:
    return f"\\\\x{bytes(value).hex()}"
