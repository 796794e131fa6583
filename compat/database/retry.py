"""The retry policy for transient database errors."""

import logging
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from compat.database.dialects import dialect_of
from compat.database.errors import Failure, StopRequested
from compat.database.stop import Stop
from compat.database.text import one_line

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

MAX_ATTEMPTS = 9
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0


def retry(
    operation: Callable[[], Answer],
    *,
    using: Iterable[str],
    what: str,
    stop: Stop,
    attempts: int = MAX_ATTEMPTS,
    on_timeout: Callable[[], None] = lambda: None,
) -> Answer:
    """Return what `operation` returns, and repeat it after transient errors.

    `using` names the databases that the operation talks to; it must be one transaction or only read. The
    pauses double, have jitter and add up to about 12 seconds with the default number of attempts. `on_timeout` is
    called after a lock or statement timeout. Raises the last error, an error that is not transient, or
    StopRequested.

    The jitter follows "equal jitter" in Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
    """
    aliases = tuple(using)
    for attempt in range(1, attempts + 1):
        try:
            return operation()
        except (OperationalError, InterfaceError) as error:
            failures = {failure_of(error, alias) for alias in aliases}
            if attempt == attempts or not any(failure.is_transient for failure in failures):
                raise
            if any(failure.is_timeout for failure in failures):
                on_timeout()
            for alias in aliases:
                _close_if_lost(connections[alias])
            pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311 jitter
            logger.warning(
                "%s: attempt %d of %d failed, next in %.1f s: %s", what, attempt, attempts, pause, one_line(error)
            )
            if stop.wait(pause):
                raise StopRequested(stop.reason) from error
    raise AssertionError("unreachable")


def failure_of(error: BaseException, using: str) -> Failure:
    """Return why a statement on the database `using` failed."""
    return dialect_of(connections[using]).failure(error)


def _close_if_lost(connection: BaseDatabaseWrapper) -> None:
    """Close a lost connection, so that the next query opens a new one."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()
