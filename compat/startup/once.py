"""Pick one process of a server, and one server of a machine at a time, with locks on the bytes of a file.

Such locks end with their process, however it ends, and are not inherited by a fork. Between machines nothing is
locked here: there the repair's own lock and the lease of the run decide.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compat.copying.stopping import Stop

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows has no servers with several processes
    fcntl = None  # type: ignore[assignment]

POLL = 2.0
"""Seconds between two looks at a lock that another process holds."""
REPAIRING = 0
"""The byte of the file that stands for the repair; a server's is its process group, which is never 0."""


class Locks:
    """The locks of this process that belong to one database."""

    def __init__(self, database: str) -> None:
        """Open the file; `database` is any text that tells the database from others."""
        self._file: int | None = None
        if fcntl is not None:
            name = hashlib.sha256(database.encode()).hexdigest()[:16]
            self._file = _open(Path(tempfile.gettempdir()) / f"compat-startup-{os.getuid()}-{name}.lock")

    def become_the_one(self, stop: Stop) -> bool:
        """Wait until no other process of this server is the one; False when the server stops before.

        The lock is kept until the process ends, so that another process takes over from one that dies.
        """
        return self._take(os.getpgrp() if hasattr(os, "getpgrp") else 1, stop)

    @contextmanager
    def repairing(self, stop: Stop) -> Iterator[bool]:
        """Let no other server of this machine repair meanwhile; give False when the server stops before."""
        taken = self._take(REPAIRING, stop)
        try:
            yield taken
        finally:
            if taken and self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, REPAIRING)

    def _take(self, byte: int, stop: Stop) -> bool:
        while not self._try(byte):
            if stop.wait(POLL):
                return False
        return True

    def _try(self, byte: int) -> bool:
        if self._file is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: the lease alone decides
            return True
        return True


def _open(file: Path) -> int | None:
    """Open the lock file for this user alone; None where that is not possible."""
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
