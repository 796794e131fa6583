"""Empty databases in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def in_memory(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """Give a new connection to an empty database, with the functions that Django adds to SQLite, in the block."""
    settings = {**connection.settings_dict, "NAME": ":memory:"}
    settings["OPTIONS"] = {k: v for k, v in settings["OPTIONS"].items() if k not in ("init_command", "uri")}
    scratch: Any = type(connection)(settings, connection.alias)
    try:
        yield scratch
    finally:
        if scratch.connection is not None:  # Django's own close() keeps a database in memory open
            scratch.connection.close()
