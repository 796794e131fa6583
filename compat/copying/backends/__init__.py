"""What differs between databases, one module each, chosen here; a driver is imported only where it is used."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.copying.backends.base import Backend, Reference
from compat.copying.errors import Blocked

__all__ = ["Backend", "Reference", "backend_for"]


def backend_for(connection: BaseDatabaseWrapper) -> Backend:
    """Return what the connection's database can do; raise Blocked for one that copies do not support."""
    if connection.vendor == "sqlite":
        from compat.copying.backends.sqlite import SQLite

        return SQLite(connection)
    if connection.vendor == "postgresql":
        from compat.copying.backends.postgresql import PostgreSQL

        return PostgreSQL(connection)
    text = _("Copying does not support %(database)s; use one of: postgresql, sqlite.")
    raise Blocked(text % {"database": connection.display_name})
