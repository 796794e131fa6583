"""Try again after errors that pass: locks, timeouts, lost connections, a full disk."""

import logging
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from compat.copying.backends import backend_for
from compat.copying.errors import StopRequested
from compat.copying.stopping import Stop

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

TRIES = 9
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


def retrying(
    operation: Callable[[], Result],
    *,
    using: Iterable[str],
    what: str,
    stop: Stop,
    on_timeout: Callable[[], None] = lambda: None,
) -> Result:
    """Return what `operation` returns; after a transient error pause, double the pause, and try again.

    The pauses are jittered ("full jitter") and add up to about 12 seconds. The last error is raised, and
    any error that is not transient; StopRequested when a stop is asked for meanwhile. `operation` must be a
    transaction of its own, or read only. `using` names the databases that it talks to.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return operation()
        except (OperationalError, InterfaceError) as error:
            backends = [backend_for(connections[alias]) for alias in using]
            if attempt == TRIES or not any(backend.is_transient(error) for backend in backends):
                raise
            if any(backend.is_timeout(error) for backend in backends):
                on_timeout()
            for backend in backends:
                _reconnect(backend.connection)
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311 jitter
            logger.warning("%s: try %d of %d failed, next in %.1f s: %s", what, attempt, TRIES, pause, one_line(error))
            if stop.wait(pause):
                raise StopRequested(stop.reason) from error
    raise AssertionError("unreachable")


def _reconnect(connection: BaseDatabaseWrapper) -> None:
    """Let the next query open a new connection where this one is lost."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()


def one_line(error: BaseException) -> str:
    """Return the message of a database error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
