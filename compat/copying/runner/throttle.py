"""Throttling: a pause after each batch, and waiting while the server is under pressure."""

import logging
import time
from dataclasses import dataclass, field

from django.db import connections

from compat.copying.dialects import dialect_for
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

PRESSURE_POLL_SECONDS = 1.0
"""Seconds between two checks of the server."""


@dataclass(frozen=True)
class Limits:
    """The limits of a copy: `pause` is the share of its time that it rests, at least 0 and less than 1.

    The copy waits while the replay of a standby lags by more than `lag` seconds, or while more than `lock_waits`
    sessions of the database wait for a lock.
    """

    pause: float = 0.0
    lag: float = 10.0
    lock_waits: int = 20


@dataclass
class Throttle:
    """Throttles one worker between its batches."""

    using: str
    limits: Limits
    stop: Stop
    _checked_at: float = field(default=0.0)

    def rest(self, seconds: float) -> None:
        """Pause after a batch that took `seconds`."""
        if self.limits.pause:
            self.stop.wait(seconds * self.limits.pause / (1 - self.limits.pause))

    def pressure(self) -> str:
        """Return why to wait, or an empty text.

        The server is asked at most every PRESSURE_POLL_SECONDS while it is not under pressure.
        """
        if time.monotonic() - self._checked_at < PRESSURE_POLL_SECONDS:
            return ""
        connection = connections[self.using]
        with connection.cursor() as cursor:
            reason = dialect_for(connection).session.pressure(cursor, self.limits.lag, self.limits.lock_waits)
        if not reason:
            self._checked_at = time.monotonic()
        return reason
