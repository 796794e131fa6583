"""SQLite's catalog."""

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Column, Introspection, Referrer, Secondary
from compat.database.sql import table_parts

INDEXES = """
SELECT m.name, m.sql FROM sqlite_master m JOIN pragma_index_list(%s) l ON l.name = m.name
WHERE m.sql IS NOT NULL AND NOT l."unique" ORDER BY 1
"""
REFERRERS = """
SELECT m.name, k."from", k."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k
WHERE m.type = 'table' AND lower(k."table") = lower(%s) AND k."to" IS NOT NULL
"""
HIDDEN = 1
"""What table_xinfo says of a column of a virtual table that is not shown."""


class SQLiteIntrospection(Introspection):
    """The pragmas of a table."""

    def columns(self, cursor: CursorWrapper, table: str) -> list[Column]:
        """Read table_xinfo; a generated column counts as one with a default."""
        cursor.execute('SELECT name, "notnull", dflt_value, hidden FROM pragma_table_xinfo(%s)', (_name(table),))
        return [
            Column(name, not required, default is not None or bool(hidden))
            for name, required, default, hidden in cursor.fetchall()
            if hidden != HIDDEN
        ]

    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Indexes that are not unique; a foreign key is part of its table and stays."""
        cursor.execute(INDEXES, (_name(table),))
        quote = self.connection.ops.quote_name
        return [Secondary(name, f"DROP INDEX {quote(name)}", create) for name, create in cursor.fetchall()]

    def exists(self, cursor: CursorWrapper, table: str, secondary: str) -> bool:
        """Look for an index."""
        cursor.execute("SELECT count(*) FROM pragma_index_list(%s) WHERE name = %s", (_name(table), secondary))
        return bool(cursor.fetchone()[0])

    def referrers(self, cursor: CursorWrapper, table: str) -> list[Referrer]:
        """Read the foreign keys of all tables that name the column that they refer to."""
        cursor.execute(REFERRERS, (_name(table),))
        quote = self.connection.ops.quote_name
        return [Referrer(quote(child), quote(column), quote(key)) for child, column, key in cursor.fetchall()]

    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """None: there is one writer at a time, and it has committed when the engine writes."""
        return {}


def _name(table: str) -> str:
    return table_parts(table)[-1]
