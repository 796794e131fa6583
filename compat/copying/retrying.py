"""Try again after errors that pass: locks, timeouts, lost connections, a full disk."""

import logging
import random
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections

from compat.copying.backends import backend_for
from compat.copying.stopping import Stop

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

TRIES = 9
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


def retrying(
    operation: Callable[[], Result],
    *,
    using: str,
    what: str,
    stop: Stop,
    on_timeout: Callable[[], None] = lambda: None,
) -> Result:
    """Return what `operation` returns; after a transient error pause, double the pause, and try again.

    The pauses are jittered ("full jitter") and add up to about 12 seconds. The last error is raised, and
    any error that is not transient. `operation` must be a transaction of its own.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return operation()
        except (OperationalError, InterfaceError) as error:
            connection = connections[using]
            backend = backend_for(connection)
            if not backend.is_transient(error) or attempt == TRIES:
                raise
            if backend.is_timeout(error):
                on_timeout()
            if connection.connection is not None and not connection.is_usable():
                connection.close()
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311 jitter
            logger.warning("%s: try %d of %d failed, next in %.1f s: %s", what, attempt, TRIES, pause, one_line(error))
            if stop.wait(pause):
                raise
    raise AssertionError("unreachable")


def one_line(error: BaseException) -> str:
    """Return the message of a database error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
