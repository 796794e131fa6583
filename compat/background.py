"""Work beside the server that a page asked for: a thread with its own connections, stopped when the server stops."""

import atexit
import logging
import threading
from collections.abc import Callable

from django.db import connections

from compat.copying.stopping import Stop

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that a stopping process waits for the batch in hand."""


def start(work: Callable[[Stop], object], name: str) -> threading.Thread:
    """Start `work` in a thread; it is asked to stop when this process ends."""
    stop = Stop()
    thread = threading.Thread(target=_run, args=(work, stop), name=name, daemon=True)

    def shut_down() -> None:
        stop.request("the server stops")
        thread.join(PATIENCE)

    atexit.register(shut_down)
    thread.start()
    return thread


def _run(work: Callable[[Stop], object], stop: Stop) -> None:
    try:
        work(stop)
    except Exception:
        logger.exception("work that a page asked for failed")
    finally:
        connections.close_all()
