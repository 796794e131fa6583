"""AUTOINCREMENT of SQLite."""

from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from compat.copying.dialects.base import KeyUse, Sequences
from compat.copying.errors import Blocked
from compat.database.sql import table_parts


class SQLiteSequences(Sequences):
    """The counter in sqlite_sequence; the open transaction holds the only write lock."""

    def lock(self, cursor: CursorWrapper, table: str, column: str) -> KeyUse:
        """Read the keys in use."""
        name, key = table_parts(table)[-1], self.connection.ops.quote_name(column)
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", (name,))
        found = cursor.fetchone()
        if found is None or "AUTOINCREMENT" not in found[0].upper():
            text = _("%(column)s does not count keys up (AUTOINCREMENT). Run verify_structure --fix first.")
            raise Blocked(text % {"column": f"{table}.{column}"})
        cursor.execute(f"SELECT max({key}) FROM {self.quote_table(table)}")  # noqa: S608 quoted names
        (highest,) = cursor.fetchone()
        return KeyUse(highest, self._counter(cursor, name) or 0)

    def raise_to(self, cursor: CursorWrapper, table: str, column: str, key: int) -> None:
        """Set the counter unless it is there already; a table without rows has none yet."""
        name = table_parts(table)[-1]
        counter = self._counter(cursor, name)
        if counter is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", (name, max(0, key)))
        elif key > counter:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", (key, name))

    def _counter(self, cursor: CursorWrapper, name: str) -> int | None:
        cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", (name,))
        counter: int | None = cursor.fetchone()[0]
        return counter
