"""What differs between databases for both engines; one module per vendor."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string

from compat.database.dialects.base import Dialect
from compat.database.errors import UnsupportedDatabase

__all__ = ["Dialect", "dialect_of"]

DIALECTS = {
    "postgresql": "compat.database.dialects.postgresql.PostgreSQL",
    "sqlite": "compat.database.dialects.sqlite.SQLite",
}
"""By vendor. A dialect is imported on first use, so that only the drivers in use are needed."""


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection. Raises UnsupportedDatabase."""
    if connection.vendor not in DIALECTS:
        raise UnsupportedDatabase(connection, ", ".join(DIALECTS))
    dialect: type[Dialect] = import_string(DIALECTS[connection.vendor])
    return dialect(connection)
