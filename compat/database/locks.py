"""Locks between processes: one repairs a database at a time, and one process of a server leads.

File locks end with their process, however it ends. Between machines, the lock of a repair in the database and
the lease of a run decide.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from compat.database.dialects import dialect_of
from compat.database.errors import RepairBusy, StopRequested
from compat.database.file_locks import fcntl, open_lock_file, try_file_lock
from compat.database.stop import Stop

REPAIR_WAIT_SECONDS = 60.0
POLL_SECONDS = 0.2
LEADERSHIP_POLL_SECONDS = 2.0


@contextmanager
def repair_lock(using: str, stop: Stop | None = None) -> Iterator[None]:
    """Hold the lock of repairs of a database in the block.

    Without `stop`, wait up to REPAIR_WAIT_SECONDS and raise RepairBusy; with it, wait until a stop is requested
    and raise StopRequested.
    """
    deadline = time.monotonic() + REPAIR_WAIT_SECONDS
    connection = connections[using]
    with dialect_of(connection).repair_lock() as try_lock:
        while not try_lock():
            if stop is None and time.monotonic() > deadline:
                raise RepairBusy(using, REPAIR_WAIT_SECONDS)
            if stop is None:
                time.sleep(POLL_SECONDS)
            elif stop.wait(POLL_SECONDS):
                raise StopRequested(stop.reason)
        yield


def acquire_leadership(using: str, stop: Stop) -> bool:
    """Wait until no other process of this server leads; return False when a stop is requested before.

    The lock is kept until this process ends, and another one takes over then. It is the byte of the lock file
    whose number is the process group, which all processes of a server share; a fork does not inherit it.
    """
    connection = connections[using]
    file = open_lock_file("leader", repr(sorted(connection.settings_dict.items(), key=str)))
    group = os.getpgrp() if hasattr(os, "getpgrp") else 0
    while file is not None and not stop.requested():
        if try_file_lock(lambda: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, group)):
            break
        stop.wait(LEADERSHIP_POLL_SECONDS)
    return not stop.requested()
