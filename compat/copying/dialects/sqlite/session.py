"""Transactions on SQLite."""

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Session


class SQLiteSession(Session):
    """One writer at a time, and the busy timeout of the settings."""

    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Do nothing: foreign keys are among the row constraints, and the settings hold the busy timeout."""
