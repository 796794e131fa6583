"""Locks on files of the temporary folder, between the processes of one user on one machine."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

fcntl: Any = None
with suppress(ImportError):  # missing on Windows
    fcntl = import_module("fcntl")


@contextmanager
def file_lock(purpose: str, name: str) -> Iterator[Callable[[], bool]]:
    """Open a lock file in the block and give a function that tries to lock it."""
    file = open_lock_file(purpose, name)
    try:
        yield lambda: file is None or try_file_lock(lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
    finally:
        if file is not None:
            os.close(file)


def open_lock_file(purpose: str, name: str) -> int | None:
    """Open this user's lock file for a database; None where files cannot be locked."""
    if fcntl is None:
        return None
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"compat-{purpose}-{os.getuid()}-{digest}.lock"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def try_file_lock(lock: Callable[[], None]) -> bool:
    """Return whether `lock` succeeded; a file system without locks counts as success."""
    try:
        lock()
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
