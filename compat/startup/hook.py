"""Start the work in processes that serve requests, and only there.

`arm()` is called when the apps are ready, in every process that uses Django. `serve()` is called by `wsgi.py`
and `asgi.py`, which only servers import: `runserver` in the process that serves (not in the one that watches
the files), gunicorn in each worker, uvicorn in its process. A server that forks after loading the application,
such as gunicorn with `--preload`, imports them once in the master, and a thread of the master does not survive
the fork. Therefore the work starts after a delay, and if the process forks during the delay, its children work.
"""

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from compat import background, conf
from compat.background import STOP_TIMEOUT_SECONDS
from compat.database.messages import Message
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

DELAY_SECONDS = 0.5
"""Delay of the work, in which a server may fork and give its first answers."""
REFUSAL_EXIT_CODE = 3
"""Exit code of a process that refuses to serve; gunicorn does not start it again."""


class Hook:
    """The work of this process: armed, then delayed, then started once or left to the child processes."""

    def __init__(self, work: Callable[[Stop], None], gate: Callable[[Stop], bool] = lambda stop: True) -> None:
        """Store the work, and the gate: a function that returns whether the process may serve."""
        self.work, self.gate = work, gate
        self.stop = Stop()
        self._lock = threading.Lock()
        self._armed = self._started = self._left_to_children = False
        self._thread: threading.Thread | None = None

    def arm(self) -> None:
        """Allow `serve` to start the work."""
        self._armed = True

    def serve(self) -> None:
        """Start the work in this process, or in the children that it forks during the delay."""
        if not self._armed:
            return
        self._armed = False
        _exit_on_sigterm()
        if not _is_on():
            return
        if conf.strict() and not self.gate(self.stop):
            _refuse()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before_fork, after_in_child=self._after_fork_in_child)
        atexit.register(self.shut_down)
        self._schedule()

    def _schedule(self) -> None:
        self._thread = threading.Thread(target=self._run, name="compat-startup", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        if self.stop.wait(DELAY_SECONDS) or not self._start():
            return
        try:
            self.work(self.stop)
        except Exception:
            logger.exception("the start-up work failed; the server continues")

    def _start(self) -> bool:
        with self._lock:
            self._started = not self._left_to_children
            return self._started

    def _before_fork(self) -> None:
        with self._lock:
            self._left_to_children = not self._started

    def _after_fork_in_child(self) -> None:
        """Schedule the work in the child process, where locks and threads of the parent do not work."""
        if self._left_to_children:
            self._lock, self.stop = threading.Lock(), Stop()
            self._left_to_children = False
            self._schedule()

    def shut_down(self) -> None:
        """Request a stop of the work and of what the pages started, and wait for the current batches."""
        self.stop.request(Message("server_stops"))
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_SECONDS)
        background.shut_down()


def _exit_on_sigterm() -> None:
    """Exit in order on SIGTERM in servers that do not handle it, such as `runserver --noreload`."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def _is_on() -> bool:
    try:
        return conf.startup() is not conf.Startup.OFF
    except ImproperlyConfigured as error:
        logger.error(_("The start-up check is off: %s"), error)
        return False


def _refuse() -> NoReturn:
    """End this process before it serves."""
    text = _("COMPAT['STRICT'] is set and the structure has errors: this process does not serve.")
    logger.critical(text)
    if threading.current_thread() is threading.main_thread():
        sys.exit(REFUSAL_EXIT_CODE)
    logging.shutdown()
    os._exit(1)  # sys.exit() in a thread ends only the thread, and runserver loads the application in one


def _work(stop: Stop) -> None:
    from compat.startup.work import run

    run(stop)


def _gate(stop: Stop) -> bool:
    from compat.startup.work import is_sound

    return is_sound(stop)


startup = Hook(_work, _gate)
"""The hook of this process."""
