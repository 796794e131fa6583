"""SQLite for both engines."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from compat.database.dialects.base import Dialect, causes
from compat.database.errors import Failure
from compat.database.file_locks import file_lock

CODES = {
    sqlite3.SQLITE_BUSY: Failure.LOCK_TIMEOUT,
    sqlite3.SQLITE_LOCKED: Failure.CONFLICT,
    sqlite3.SQLITE_INTERRUPT: Failure.STATEMENT_TIMEOUT,
    sqlite3.SQLITE_FULL: Failure.RESOURCES,
    sqlite3.SQLITE_IOERR: Failure.RESOURCES,
    sqlite3.SQLITE_READONLY: Failure.READ_ONLY,
    sqlite3.SQLITE_CONSTRAINT: Failure.ROW,
    sqlite3.SQLITE_MISMATCH: Failure.ROW,
    sqlite3.SQLITE_TOOBIG: Failure.ROW,
}
"""Primary result codes, https://sqlite.org/rescode.html."""
PRIMARY_CODE_MASK = 0xFF


class SQLite(Dialect):
    """SQLite through Python's sqlite3."""

    def failure_of_code(self, error: BaseException) -> Failure | None:
        """Judge by the primary result code."""
        codes = (getattr(cause, "sqlite_errorcode", None) for cause in causes(error))
        code = next((code for code in codes if code is not None), None)
        return None if code is None else CODES.get(code & PRIMARY_CODE_MASK)

    def repair_lock(self) -> AbstractContextManager[Callable[[], bool]]:
        """Lock a file: the database is a file of this machine."""
        return file_lock("repair", os.path.realpath(str(self.connection.settings_dict["NAME"])))
