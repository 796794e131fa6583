"""Sequences of PostgreSQL."""

from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from compat.copying.dialects.base import KeyUse, Sequences
from compat.copying.dialects.postgresql.session import LOCK_TIMEOUT_MILLISECONDS
from compat.copying.errors import Blocked


class PostgreSQLSequences(Sequences):
    """The sequence that the key's column owns."""

    def lock(self, cursor: CursorWrapper, table: str, column: str) -> KeyUse:
        """Lock inserts out for the moment in which the sequence is read and raised."""
        name, key = self.quote_table(table), self.connection.ops.quote_name(column)
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}")
        cursor.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
        sequence = self._sequence(cursor, table, column)
        cursor.execute(f"SELECT max({key}) FROM {name}")  # noqa: S608 quoted names
        (highest,) = cursor.fetchone()
        return KeyUse(highest, self._counter(cursor, sequence))

    def raise_to(self, cursor: CursorWrapper, table: str, column: str, key: int) -> None:
        """Set the sequence unless it is there already."""
        sequence = self._sequence(cursor, table, column)
        if key > self._counter(cursor, sequence):
            cursor.execute("SELECT setval(%s::regclass, %s)", (sequence, key))

    def _counter(self, cursor: CursorWrapper, sequence: str) -> int:
        cursor.execute(f"SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM {sequence}")  # noqa: S608 name from the catalog
        return int(cursor.fetchone()[0])

    def _sequence(self, cursor: CursorWrapper, table: str, column: str) -> str:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (self.quote_table(table), column))
        (sequence,) = cursor.fetchone()
        if sequence is None:
            text = _("%(column)s has no sequence. Run verify_structure --fix first.")
            raise Blocked(text % {"column": f"{table}.{column}"})
        return str(sequence)
