"""One repair of a database at a time: the others wait for it.

PostgreSQL: an advisory lock of a transaction on a connection of its own, so that nothing strands behind a
pooler. SQLite: a lock on a file, for its database is a file of this machine. Both end with their process.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.structure.errors import Unverifiable

WAIT = 60.0
"""Seconds to wait for another repair."""
POLL = 0.2
LOCK = int.from_bytes(hashlib.sha256(b"compat.structure repair of a database").digest()[:6], "big")

fcntl: Any = None
with suppress(ImportError):  # Windows lacks it
    fcntl = import_module("fcntl")


@contextmanager
def alone(using: str) -> Iterator[None]:
    """Let nobody else repair the database meanwhile. Raises Unverifiable when another repair goes on for too long."""
    connection = connections[using]
    lock = {"postgresql": _advisory_lock, "sqlite": _file_lock}.get(connection.vendor)
    if lock is None:
        yield
        return
    with lock(connection):
        yield


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT:.0f}s"])
            try:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            except DatabaseError as error:
                raise _busy(connection) from error
        yield
    finally:
        own.close()


@contextmanager
def _file_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    name = hashlib.sha256(os.path.realpath(str(connection.settings_dict["NAME"])).encode()).hexdigest()[:16]
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        file = os.open(Path(tempfile.gettempdir()) / f"compat-structure-{os.getuid()}-{name}.lock", flags, 0o600)
    except (OSError, AttributeError):  # nowhere to write, or no user ids: as well as without a lock
        yield
        return
    try:
        _wait(file, connection)
        yield
    finally:
        os.close(file)


def _wait(file: int, connection: BaseDatabaseWrapper) -> None:
    until = time.monotonic() + WAIT
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                raise _busy(connection) from None
            time.sleep(POLL)


def _busy(connection: BaseDatabaseWrapper) -> Unverifiable:
    text = _("Another repair of the database %(alias)s has gone on for %(seconds).0f s. Run again when it is done.")
    return Unverifiable(text % {"alias": connection.alias, "seconds": WAIT})
