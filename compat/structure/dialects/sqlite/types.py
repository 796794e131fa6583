"""Types on SQLite, by affinity (https://sqlite.org/datatype3.html, 3.1)."""

import re

from compat.structure.dialects.base import Types
from compat.structure.names import quote_columns, quote_key
from compat.structure.schema import Column, Table, TypeDifference
from compat.structure.steps import DataCheck, values_lost

SIZE = re.compile(r"\(.*\)")
AFFINITY_WORDS = (
    ("integer", ("int",)),
    ("text", ("char", "clob", "text")),
    ("blob", ("blob",)),
    ("real", ("real", "floa", "doub")),
)


def affinity(type_: str) -> str:
    """Return the affinity of a declared type."""
    for name, words in AFFINITY_WORDS:
        if any(word in type_ for word in words):
            return name
    return "numeric" if type_ else "blob"


class SQLiteTypes(Types):
    """SQLite stores values of any type; the affinity of a column decides how."""

    def difference(self, expected: str, actual: str) -> TypeDifference | None:
        if affinity(expected) != affinity(actual):
            return TypeDifference.INCOMPATIBLE
        same_words = SIZE.sub("", expected) == SIZE.sub("", actual)
        return TypeDifference.WIDER if same_words else TypeDifference.SPELLING

    def values_lost(self, table: Table, expected: Column, actual: Column) -> DataCheck | None:
        """Return the check for values that SQLite would keep as they are although the column has another type."""
        name = quote_columns(self.connection, expected.name)
        text, number = f"CAST({name} AS TEXT)", f"CAST(CAST({name} AS INTEGER) AS TEXT)"
        lost = {
            "integer": f"typeof({name} + 0) <> 'integer' OR {number} <> {text}",
            "real": f"typeof({name}) NOT IN ('integer', 'real') AND CAST(CAST({name} AS REAL) AS TEXT) <> {name}",
            "text": f"typeof({name}) IN ('real', 'blob')",
        }.get(affinity(expected.type))
        if lost is None:
            return None
        keys = quote_columns(self.connection, *table.primary_key()) or "rowid"
        source = quote_key(self.connection, table.name)
        query = f"SELECT {keys}, {name} FROM {source} WHERE {name} IS NOT NULL AND ({lost})"  # noqa: S608  quoted
        return values_lost(query, expected)
