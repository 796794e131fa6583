"""Bulk load into SQLite."""

from collections.abc import Sequence
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
        """Insert the rows."""
        names, marks = ", ".join(column.name for column in columns), ", ".join(["%s"] * len(columns))
        floats = [number for number, column in enumerate(columns) if self._type(column) == "REAL"]
        values = rows.fetchall()
        cursor.executemany(
            f"INSERT INTO {self.table} ({names}) VALUES ({marks})",  # noqa: S608 our own names
            _with_floats(values, floats) if floats else values,
        )
        return int(cursor.rowcount)

    def _type(self, column: StagedColumn) -> str:
        return "TEXT" if column.field is None else STAGED.get(kind_of(column.field), "TEXT")


def _with_floats(rows: list[tuple[Any, ...]], floats: list[int]) -> list[tuple[Any, ...]]:
    """Read the text of floats in Python, which is exact to the last bit where SQLite is not; NaN stays text."""
    columns: list[Any] = list(zip(*rows, strict=True))
    for number in floats if columns else []:
        columns[number] = [value if value is None or value == NAN else float(value) for value in columns[number]]
    return list(zip(*columns, strict=True))
