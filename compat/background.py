"""Work beside the server that a page asked for: a thread with its own connections, stopped when the server stops."""

import atexit
import logging
import threading
from collections.abc import Callable

from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.results import BLOCKED, Result
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that a stopping process waits for the batch in hand."""

_running: dict[threading.Thread, Stop] = {}


def start(work: Callable[[Stop], Result], name: str) -> threading.Thread:
    """Start `work` in a thread; it is asked to stop when this process ends."""
    stop = Stop()
    thread = threading.Thread(target=_run, args=(work, stop), name=name, daemon=True)
    _running[thread] = stop
    thread.start()
    return thread


def shut_down() -> None:
    """Ask all work to stop, and wait for it."""
    running = dict(_running)
    for stop in running.values():
        stop.request(gettext_lazy("the server stops"))
    for thread in running:
        thread.join(PATIENCE)


atexit.register(shut_down)


def _run(work: Callable[[Stop], Result], stop: Stop) -> None:
    try:
        result = work(stop)
        if result.status == BLOCKED:
            logger.warning(_("what a page asked for could not be done: %s"), result.error)
    except Exception:
        logger.exception("work that a page asked for failed")
    finally:
        connections.close_all()
        _running.pop(threading.current_thread(), None)
