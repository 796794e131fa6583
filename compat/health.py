"""Is the database there, and is its structure what the models need? Answered from memory for some seconds."""

import threading
import time
from collections.abc import Callable

from django.db import Error, connections

from compat import conf, services
from compat.structure.errors import Unverifiable
from compat.structure.findings import Severity

REACHABLE_SECONDS = 5.0
"""How long the answer to "does the database answer?" holds, so that probes do not pile up on a dead one."""


class Remembered:
    """The answer of a question, asked again when it is too old; meanwhile others get the former answer."""

    def __init__(self, question: Callable[[], bool], seconds: Callable[[], float]) -> None:
        self._question, self._seconds = question, seconds
        self._lock = threading.Lock()
        self._answer: bool | None = None
        self._asked = 0.0

    def get(self) -> bool:
        """Return the answer."""
        if self._answer is not None and (self._fresh() or self._lock.locked()):
            return self._answer
        with self._lock:
            if self._answer is None or not self._fresh():
                self._answer = self._question()
                self._asked = time.monotonic()
            return self._answer

    def _fresh(self) -> bool:
        return time.monotonic() - self._asked < self._seconds()


def _is_reachable() -> bool:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _is_sound() -> bool:
    try:
        return not services.verify_database_structure().reaches(Severity.ERROR)
    except (Unverifiable, Error):
        return False


_reachable = Remembered(_is_reachable, lambda: REACHABLE_SECONDS)
_sound = Remembered(_is_sound, conf.health_seconds)


def is_healthy() -> bool:
    """Tell whether the database answers and its structure has no error."""
    return _reachable.get() and _sound.get()
