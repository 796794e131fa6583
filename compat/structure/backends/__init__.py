"""What differs from one database to the next: one package each, chosen here."""

from django.db.backends.base.base import BaseDatabaseWrapper

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
    raise Unverifiable(f"{connection.display_name} is not supported yet: SQLite and PostgreSQL are.")
