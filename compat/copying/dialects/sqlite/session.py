"""Transactions on SQLite."""

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Session
from compat.copying.dialects.sqlite.functions import register


class SQLiteSession(Session):
    """One writer at a time, and the busy timeout of the settings."""

    def prepare(self) -> None:
        """Give the connection the functions that statements call."""
        register(self.connection)

    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Do nothing: foreign keys are among the row constraints, and the settings hold the busy timeout."""
