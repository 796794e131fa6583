"""Locks among the processes of this machine: one repairs a database at a time, one of a server's does its work.

They are locks on files, which end with their process, however it ends. Between machines nothing is locked here:
there the repair's own lock in the database and the lease of the run decide.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from django.db import connections

from compat.copying.stopping import Stop

fcntl: Any = None
with suppress(ImportError):  # Windows lacks it, and servers with several processes
    fcntl = import_module("fcntl")

POLL = 2.0
"""Seconds between two looks at a lock that another process holds."""


@contextmanager
def repairing(using: str, stop: Stop) -> Iterator[bool]:
    """Let nobody else on this machine repair the database meanwhile; give False when `stop` comes before."""
    file = _open("repair", using)
    try:
        yield _take(file, lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB), stop)
    finally:
        if file is not None:
            os.close(file)


def become_the_one(using: str, stop: Stop) -> bool:
    """Wait until no other process of this server is the one; False when the server stops before.

    The lock is kept until this process ends, so that another one takes over from it. It is the byte of the file
    whose number is the process group, which all processes of a server share; a fork does not inherit it.
    """
    file = _open("server", using)
    group = os.getpgrp() if hasattr(os, "getpgrp") else 0
    return _take(file, lambda: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, group), stop)


def _take(file: int | None, lock: Callable[[], None], stop: Stop) -> bool:
    """Call `lock` until it succeeds; where files cannot be locked, succeed at once."""
    while file is not None and not stop.requested():
        try:
            lock()
        except BlockingIOError:
            stop.wait(POLL)
            continue
        except OSError:
            break
        break
    return not stop.requested()


def _open(purpose: str, using: str) -> int | None:
    """Open the lock file of this user for a database; None where that is not possible."""
    if fcntl is None:
        return None
    database = repr(sorted(connections[using].settings_dict.items(), key=str))
    name = f"compat-{purpose}-{os.getuid()}-{hashlib.sha256(database.encode()).hexdigest()[:16]}.lock"
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(Path(tempfile.gettempdir()) / name, flags, 0o600)
    except OSError:
        return None
