"""Whether the database answers and its structure has no error; both answers are cached for some seconds."""

import logging
import threading
from collections.abc import Callable

from django.core.cache import cache
from django.db import connections

from compat import conf, services
from compat.database.files import absent_file
from compat.database.text import one_line
from compat.structure.findings import Severity

logger = logging.getLogger(__name__)

REACHABLE_SECONDS = 5.0
"""How long the answer of the database itself is cached, so that probes do not pile up when it is down."""

_lock = threading.Lock()


def is_healthy() -> bool:
    """Return whether the database of start-up and pages answers and its structure has no error."""
    try:
        using = conf.startup_database()
        return _cached(_is_reachable, using, REACHABLE_SECONDS) and _cached(_is_sound, using, conf.health_seconds())
    except Exception as error:  # a wrong setting or a cache that is down; a probe gets an answer in any case
        _log(error)
        return False


def _cached(question: Callable[[str], bool], using: str, seconds: float) -> bool:
    """Return the answer to a question; one thread asks at a time, and the others use its answer."""
    with _lock:
        key = f"compat.health.{question.__name__}.{using}"
        return bool(cache.get_or_set(key, lambda: _ask(question, using), seconds))


def _ask(question: Callable[[str], bool], using: str) -> bool:
    try:
        return question(using)
    except Exception as error:  # whatever goes wrong, the answer is no
        _log(error)
        return False


def _is_reachable(using: str) -> bool:
    if absent_file(connections[using]):
        return False
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _is_sound(using: str) -> bool:
    return not services.verify_database_structure(using).reaches(Severity.ERROR)


def _log(error: Exception) -> None:
    logger.warning("the health check failed: %s", one_line(error))
    logger.debug("traceback of the failed health check", exc_info=error)
