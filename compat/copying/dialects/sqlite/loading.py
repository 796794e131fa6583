"""Bulk load into SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Loading, StagedColumn
from compat.copying.dialects.neutral import Kind, kind_of

STAGED = {
    Kind.INTEGER: "INTEGER",
    Kind.BOOLEAN: "INTEGER",
    Kind.DURATION: "INTEGER",
    Kind.FLOAT: "REAL",
    Kind.BINARY: "BLOB",
    Kind.DECIMAL: "BLOB",  # no conversion of any value
}
"""The types in which neutral values are staged; all other kinds are staged as text."""
CHUNK_ROWS = 500
NAN = "NaN"


class SQLiteLoading(Loading):
    """A temporary table, filled row by row, which SQLite does in one call."""

    table = "temp.compat_stage"

    def create(self, cursor: CursorWrapper, columns: Sequence[StagedColumn]) -> None:
        """Replace the table."""
        cursor.execute(f"DROP TABLE IF EXISTS {self.table}")
        definitions = ", ".join(f"{column.name} {self._type(column)}" for column in columns)
        cursor.execute(f"CREATE TABLE {self.table} ({definitions})")

    def load(self, cursor: CursorWrapper, columns: Sequence[StagedColumn], rows: CursorWrapper) -> int:
        """Insert the rows while they are read, past Django's cursor, which would keep all of them in memory."""
        names, marks = ", ".join(column.name for column in columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {self.table} ({names}) VALUES ({marks})"  # noqa: S608 our own names
        floats = [number for number, column in enumerate(columns) if self._type(column) == "REAL"]
        with self.connection.wrap_database_errors:
            sqlite3.Cursor.executemany(cursor.cursor, statement, _converted(rows, floats))
        return int(cursor.rowcount)

    def _type(self, column: StagedColumn) -> str:
        return "TEXT" if column.field is None else STAGED.get(kind_of(column.field), "TEXT")


def _converted(rows: CursorWrapper, floats: list[int]) -> Iterator[Sequence[Any]]:
    """Yield the rows with the text of floats read in Python, which is exact to the last bit where SQLite is not.

    NaN stays text, because SQLite would store it as NULL.
    """
    while chunk := rows.fetchmany(CHUNK_ROWS):
        for row in chunk:
            values = list(row)
            for number in floats:
                if (value := values[number]) is not None and value != NAN:
                    values[number] = float(value)
            yield values
