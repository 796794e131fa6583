"""The request to stop at the next safe point: by a signal, a deadline or another thread."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from compat.database.messages import Message


class Stop:
    """A stop request that all threads of an operation share. `max_seconds` sets a deadline from now on."""

    def __init__(self, max_seconds: float | None = None) -> None:
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds
        self._event = threading.Event()
        self.reason: Message | None = None

    def request(self, reason: Message | str) -> None:
        """Request a stop. The first reason is kept."""
        self.reason = self.reason or Message.of(reason)
        self._event.set()

    def requested(self) -> bool:
        """Return whether a stop is requested or the deadline has passed."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.request(Message("time_limit"))
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep until a stop is requested, at most `seconds`; return whether it is requested."""
        return self._event.wait(seconds) or self.requested()


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into a stop request. A second signal has its usual effect."""

    def handle(number: int, frame: FrameType | None) -> None:
        stop.request(Message("received_signal", signal=signal.Signals(number).name))
        signal.signal(number, former[number])

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in former:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
