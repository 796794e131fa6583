"""Transactions on PostgreSQL, and consideration for its other sessions."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from compat.copying.dialects.base import Session

LOCK_TIMEOUT_MILLISECONDS = 900
"""Below the server's default deadlock_timeout of 1 s, so that the copy gives way and not the application."""
BUILD_MEMORY = "256MB"


class PostgreSQLSession(Session):
    """Settings that end with the transaction."""

    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Wait shortly for locks, and check deferred foreign keys at each statement."""
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}; SET CONSTRAINTS ALL IMMEDIATE")

    def begin_build(self, cursor: CursorWrapper) -> None:
        """Sort in memory, and wait for locks no longer than a batch does."""
        memory, timeout = f"maintenance_work_mem = '{BUILD_MEMORY}'", f"lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}"
        cursor.execute(f"SET LOCAL {memory}; SET LOCAL {timeout}")

    def async_commit(self, cursor: CursorWrapper) -> None:
        """The server writes the log to disk a little later; a crash in between loses the whole transaction."""
        cursor.execute("SET LOCAL synchronous_commit = off")

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Merge both sides in one process: parallel hashing takes twice the work, and a copy has workers of its own."""
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            yield

    def pressure(self, cursor: CursorWrapper, lag: float, lock_waits: int) -> str:
        """Look at the standbys' replay lag (NULL for a role that may not see it) and at ungranted locks."""
        cursor.execute(
            "SELECT coalesce((SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication), 0), "
            "(SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        behind, waiting = cursor.fetchone()
        if behind > lag:
            return _("held back: a standby is %(seconds).0f s behind") % {"seconds": behind}
        text = _("held back: %(sessions)d sessions wait for locks")
        return text % {"sessions": waiting} if waiting > lock_waits else ""

    def refresh_statistics(self, cursor: CursorWrapper, table: str) -> None:
        """Autovacuum would do it later, but verification follows at once."""
        cursor.execute(f"ANALYZE {self.quote_table(table)}")
