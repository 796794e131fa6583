"""What differs from one database to the next: one package each, chosen here."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.structure.backends.base import Backend
from compat.structure.errors import Unverifiable


def backend_for(connection: BaseDatabaseWrapper) -> Backend:
    """Return the backend for the connection's vendor. Raises Unverifiable when there is none."""
    if connection.vendor == "sqlite":
        from compat.structure.backends.sqlite import SQLite

        return SQLite(connection)
    if connection.vendor == "postgresql":
        from compat.structure.backends.postgresql import PostgreSQL

        return PostgreSQL(connection)
    text = _("%(server)s is not supported yet: SQLite and PostgreSQL are.")
    raise Unverifiable(text % {"server": connection.display_name})


@contextmanager
def only_looking(using: str) -> Iterator[None]:
    """Let the alias stand for an empty database while connecting to it would create it."""
    connection = connections[using] if using in list(connections) else None
    instead = _stand_in(connection)
    if connection is None or instead is None:
        yield
        return
    connections[using] = instead
    try:
        yield
    finally:
        connections[using] = connection
        instead.close()


def _stand_in(connection: BaseDatabaseWrapper | None) -> BaseDatabaseWrapper | None:
    if connection is None or connection.vendor != "sqlite":
        return None
    from compat.structure.backends.sqlite.files import stand_in

    found: BaseDatabaseWrapper | None = stand_in(connection)
    return found
