"""Holding a copy back: a pause as a share of the time, and waiting while the server is under pressure."""

import logging
import time
from dataclasses import dataclass, field

from django.db import connections

from compat.copying.dialects import dialect_for
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

PRESSURE_POLL_SECONDS = 1.0
"""Seconds between two looks at the server."""


@dataclass(frozen=True)
class Limits:
    """How much a copy may take: `pause` is the share of its time that it rests, from 0 up to but not 1.

    It waits while a standby's replay lags more than `lag` seconds, or more than `lock_waits` sessions of
    the database wait for a lock.
    """

    pause: float = 0.0
    lag: float = 10.0
    lock_waits: int = 20


@dataclass
class Throttle:
    """Holds one worker back between its batches."""

    using: str
    limits: Limits
    stop: Stop
    _looked: float = field(default=0.0)

    def rest(self, seconds: float) -> None:
        """Pause after a batch that took `seconds`."""
        if self.limits.pause:
            self.stop.wait(seconds * self.limits.pause / (1 - self.limits.pause))

    def pressure(self) -> str:
        """Say why to wait, or return an empty text; looks at the server at most every PRESSURE_POLL_SECONDS seconds."""
        if time.monotonic() - self._looked < PRESSURE_POLL_SECONDS:
            return ""
        connection = connections[self.using]
        with connection.cursor() as cursor:
            reason = dialect_for(connection).pressure(cursor, self.limits.lag, self.limits.lock_waits)
        if not reason:
            self._looked = time.monotonic()
        return reason
