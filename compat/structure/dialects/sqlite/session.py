"""Transactions and time limits on SQLite."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from compat.structure.dialects.base import Session
from compat.structure.errors import RepairFailed

CLOCK_INTERVAL_OPERATIONS = 10_000
"""Operations of SQLite's virtual machine between two looks at the clock."""


class SQLiteSession(Session):
    """Rebuilding a table needs foreign keys switched off, which works only outside a transaction."""

    @contextmanager
    def repairing(self) -> Iterator[None]:
        if self.connection.in_atomic_block:
            text = _("SQLite cannot rebuild a table inside a transaction. Call the repair outside of one.")
            raise RepairFailed(text)
        self.connection.disable_constraint_checking()
        try:
            with transaction.atomic(self.connection.alias):
                self._rows("SELECT 1")
                before = self._orphans()
                yield
                if self._orphans() - before:
                    raise IntegrityError(_("A rebuilt table lost rows that others refer to; nothing was changed."))
        finally:
            self.connection.enable_constraint_checking()

    @contextmanager
    def ignoring_known_orphans(self) -> Iterator[None]:
        """Replace Django's check of every foreign key, with which its schema editor ends, by one for new orphans.

        There is no other way in: the schema editor calls the connection's method.
        """
        before = self._orphans()

        def check_constraints(table_names: object = None) -> None:
            if self._orphans() - before:
                type(self.connection).check_constraints(self.connection)  # its error names the row

        if not before:
            yield
            return
        self.connection.check_constraints = check_constraints  # type: ignore[method-assign]
        try:
            yield
        finally:
            del self.connection.check_constraints

    @contextmanager
    def reading(self, seconds: float | None) -> Iterator[None]:
        connection: Any = self.connection.connection
        if seconds is None:
            yield
            return
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, CLOCK_INTERVAL_OPERATIONS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def _orphans(self) -> set[tuple[Any, ...]]:
        """Return table, row and target table of each broken reference that can be checked."""
        tables = [name for (name,) in self._rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: set[tuple[Any, ...]] = set()
        for table in map(self.connection.ops.quote_name, tables):
            with suppress(DatabaseError):  # a key whose target has no unique index is a finding of its own
                found |= {row[:3] for row in self._rows(f"PRAGMA foreign_key_check({table})")}
        return found

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())
