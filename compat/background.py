"""Background work of a server process: threads with their own connections, stopped when the server stops."""

import atexit
import logging
import threading
from collections.abc import Callable

from django.db import connections

from compat.database.messages import Message
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

STOP_TIMEOUT_SECONDS = 20.0
"""How long a stopping process waits for the batches that are being written."""

_running: dict[threading.Thread, Stop] = {}


def start(work: Callable[[Stop], None], name: str) -> threading.Thread:
    """Start `work` in a thread. It gets a stop request when this process ends."""
    stop = Stop()
    thread = threading.Thread(target=_run, args=(work, stop), name=name, daemon=True)
    _running[thread] = stop
    thread.start()
    return thread


def shut_down() -> None:
    """Request a stop of all work and wait for it."""
    running = dict(_running)
    for stop in running.values():
        stop.request(Message("server_stops"))
    for thread in running:
        thread.join(STOP_TIMEOUT_SECONDS)


atexit.register(shut_down)


def _run(work: Callable[[Stop], None], stop: Stop) -> None:
    try:
        work(stop)
    except Exception:
        logger.exception("background work failed")
    finally:
        connections.close_all()
        _running.pop(threading.current_thread(), None)
