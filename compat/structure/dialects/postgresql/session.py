"""Transactions and time limits on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from compat.structure.dialects.base import Session

READ_LOCK_TIMEOUT_SECONDS = 2.0
"""How long a verification waits for another session's lock."""
REPAIR_LOCK_TIMEOUT_SECONDS = 5.0
"""How long a statement of a repair waits for another session's lock."""


def milliseconds(seconds: float) -> str:
    """Return a duration as PostgreSQL's settings take it; at least 1 ms, because 0 means no limit."""
    return f"{max(1, int(seconds * 1000))}ms"


class PostgreSQLSession(Session):
    """Settings hold for one transaction or savepoint."""

    @contextmanager
    def repairing(self) -> Iterator[None]:
        with transaction.atomic(self.connection.alias):
            self._set("lock_timeout", milliseconds(REPAIR_LOCK_TIMEOUT_SECONDS))
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                self._set(limit, "0")  # a role's limits are meant for requests, not for repairs
            yield

    @contextmanager
    def reading(self, seconds: float | None) -> Iterator[None]:
        with transaction.atomic(self.connection.alias):
            lock_timeout = REPAIR_LOCK_TIMEOUT_SECONDS if seconds is None else READ_LOCK_TIMEOUT_SECONDS
            self._set("lock_timeout", milliseconds(lock_timeout))
            if seconds is not None:
                self._set("statement_timeout", milliseconds(seconds))
            yield
            transaction.set_rollback(rollback=True, using=self.connection.alias)  # resets the settings

    def _set(self, name: str, value: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
