"""Start the work in a process that serves requests, and in no other.

`arm()` is called when the apps are ready, in every process that uses Django. `serve()` is called by `wsgi.py`
and `asgi.py`, which only a server imports: `runserver` in the process that serves (not in the one that watches
the files), gunicorn in each worker, uvicorn in its process. gunicorn with `--preload`, like any server that
forks after loading, imports it once in the master, where a thread would not survive the fork: so the work waits
a moment, and if the process forks meanwhile, it is left to the children.
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
from django.utils.translation import gettext_lazy

from compat import background, conf
from compat.background import PATIENCE
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds that a server has to fork, and to give its first answers, before the work begins."""
REFUSED = 3
"""Exit code of a process that refuses to serve; for gunicorn it means not to try again."""


class Hook:
    """The work of this process: armed, then waiting for its moment, then begun once or left to the children."""

    def __init__(self, work: Callable[[Stop], None], gate: Callable[[Stop], bool] = lambda stop: True) -> None:
        """Keep what to do, and a question that may keep the process from serving at all."""
        self.work, self.gate = work, gate
        self.stop = Stop()
        self._lock = threading.Lock()
        self._armed = self._begun = self._left_to_children = False
        self._thread: threading.Thread | None = None

    def arm(self) -> None:
        """Let `serve` start the work."""
        self._armed = True

    def serve(self) -> None:
        """Start the work in this process, or in those that it forks within the next moment."""
        if not self._armed:
            return
        self._armed = False
        _end_in_order()
        if not _wanted():
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
        if self.stop.wait(GRACE) or not self._begin():
            return
        try:
            self.work(self.stop)
        except Exception:
            logger.exception("the server goes on, but its start-up work failed")

    def _begin(self) -> bool:
        with self._lock:
            self._begun = not self._left_to_children
            return self._begun

    def _before_fork(self) -> None:
        with self._lock:
            self._left_to_children = not self._begun

    def _after_fork_in_child(self) -> None:
        """Schedule the work in the child; locks and threads of the parent do not work here."""
        if self._left_to_children:
            self._lock, self.stop = threading.Lock(), Stop()
            self._left_to_children = False
            self._schedule()

    def shut_down(self) -> None:
        """Ask the work to stop, also what pages have begun, and wait for the batch in hand."""
        self.stop.request(gettext_lazy("the server stops"))
        if self._thread is not None:
            self._thread.join(PATIENCE)
        background.shut_down()


def _end_in_order() -> None:
    """Let a server that knows nothing of SIGTERM, such as `runserver --noreload`, end as on Ctrl-C."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def _wanted() -> bool:
    try:
        return conf.startup() is not conf.Startup.OFF
    except ImproperlyConfigured as error:
        logger.error(_("the start-up check is off: %s"), error)
        return False


def _refuse() -> NoReturn:
    """End this process before it serves."""
    text = _("COMPAT['STRICT'] is set and the structure is not as it should be: this process does not serve")
    logger.critical(text)
    if threading.current_thread() is threading.main_thread():
        sys.exit(REFUSED)
    logging.shutdown()
    os._exit(1)  # runserver loads the application in a thread, where an exit would go unnoticed


def _work(stop: Stop) -> None:
    from compat.startup.work import run

    run(stop)


def _gate(stop: Stop) -> bool:
    from compat.startup.work import is_sound

    return is_sound(stop)


startup = Hook(_work, _gate)
"""The hook of this process."""
