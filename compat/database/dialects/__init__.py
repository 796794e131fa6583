"""What differs between databases for both engines; one module per vendor."""

from django.db.backends.base.base import BaseDatabaseWrapper

from compat.database.dialects.base import Dialect
from compat.database.dialects.postgresql import PostgreSQL
from compat.database.dialects.sqlite import SQLite
from compat.database.errors import UnsupportedDatabase

__all__ = ["Dialect", "dialect_of"]

DIALECTS: dict[str, type[Dialect]] = {"postgresql": PostgreSQL, "sqlite": SQLite}


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection. Raises UnsupportedDatabase."""
    if connection.vendor not in DIALECTS:
        raise UnsupportedDatabase(connection, ", ".join(DIALECTS))
    return DIALECTS[connection.vendor](connection)
