"""What differs between databases, one module each, chosen here; a driver is imported only where it is used."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.copying.dialects.base import Dialect, Reference
from compat.copying.errors import Blocked

__all__ = ["Dialect", "Reference", "dialect_for"]


def dialect_for(connection: BaseDatabaseWrapper) -> Dialect:
    """Return what the connection's database can do; raise Blocked for one that copies do not support."""
    if connection.vendor == "sqlite":
        from compat.copying.dialects.sqlite import SQLite

        return SQLite(connection)
    if connection.vendor == "postgresql":
        from compat.copying.dialects.postgresql import PostgreSQL

        return PostgreSQL(connection)
    text = _("Copying does not support %(database)s; use one of: postgresql, sqlite.")
    raise Blocked(text % {"database": connection.display_name})
