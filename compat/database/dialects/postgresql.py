"""PostgreSQL for both engines."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.postgresql.psycopg_any import is_psycopg3  # type: ignore[import-untyped]
from django.db.backends.utils import CursorWrapper

from compat.database.dialects.base import Dialect, causes
from compat.database.errors import Failure

CODES = {
    "25006": Failure.READ_ONLY,
    "40001": Failure.CONFLICT,  # serialization_failure
    "40P01": Failure.CONFLICT,  # deadlock_detected
    "42501": Failure.PERMISSION,
    "44000": Failure.ROW,  # with_check_option_violation
    "55P03": Failure.LOCK_TIMEOUT,
    "57014": Failure.STATEMENT_TIMEOUT,
    "25P03": Failure.CONNECTION,  # idle_in_transaction_session_timeout
    "57P05": Failure.CONNECTION,  # idle_session_timeout
}
CLASSES = {
    "08": Failure.CONNECTION,
    "22": Failure.ROW,  # data exception
    "23": Failure.ROW,  # integrity constraint violation
    "53": Failure.RESOURCES,
    "57P": Failure.CONNECTION,  # shutdown, crash, cannot connect now
    "58": Failure.RESOURCES,  # system error, such as I/O
    "P0": Failure.ROW,  # raised by a trigger
}
"""SQLSTATE codes and prefixes, https://www.postgresql.org/docs/current/errcodes-appendix.html."""

LOCK_KEY = int.from_bytes(hashlib.sha256(b"compat.structure repair of a database").digest()[:6], "big")


class PostgreSQL(Dialect):
    """PostgreSQL with any driver that Django supports."""

    failure_without_code = Failure.CONNECTION  # the driver's own error: the server sent none

    def failure_of_code(self, error: BaseException) -> Failure | None:
        """Judge by SQLSTATE."""
        code = sqlstate(error)
        if code is None:
            return None
        prefixes = (failure for prefix, failure in CLASSES.items() if code.startswith(prefix))
        return CODES.get(code) or next(prefixes, Failure.OTHER)

    def copy_from(self, cursor: CursorWrapper, statement: str, chunks: Iterable[str]) -> int:
        """Run a `COPY … FROM STDIN` statement with the text in `chunks`; return the number of rows.

        Errors of the server arrive as Django's exceptions, errors raised by `chunks` as they are.
        """
        source = _Chunks(chunks)
        try:
            with self.connection.wrap_database_errors:
                if is_psycopg3:
                    with cursor.cursor.copy(statement) as copy:
                        while text := source.read():
                            copy.write(text)
                else:
                    cursor.cursor.copy_expert(statement, source)
        except Exception as error:
            raise (source.error or error) from (None if source.error else error.__cause__)
        return int(cursor.rowcount)

    @contextmanager
    def repair_lock(self) -> Iterator[Callable[[], bool]]:
        """Use an advisory lock of a transaction on its own connection, which works behind a transaction pooler.

        READ COMMITTED keeps no snapshot between statements, so that CREATE INDEX CONCURRENTLY does not wait
        for this transaction.
        """
        own = self.connection.copy()
        try:
            with own.cursor() as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")

                def try_lock() -> bool:
                    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
                    return bool(cursor.fetchone()[0])

                yield try_lock
        finally:
            own.close()


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error from psycopg2 (`pgcode`) or psycopg 3 (`sqlstate`)."""
    codes = (getattr(cause, name, None) for cause in causes(error) for name in ("sqlstate", "pgcode"))
    return next(filter(None, codes), None)


class _Chunks:
    """Text chunks as a file. Keeps the error of the chunks, which psycopg2 replaces with one of its own."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self.error: Exception | None = None

    def read(self, size: int = -1) -> str:
        """Return the next chunk that is not empty, whatever its size; an empty text at the end."""
        try:
            return next(filter(None, self._chunks), "")
        except Exception as error:
            self.error = error
            raise
