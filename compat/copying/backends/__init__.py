"""What differs between databases, one module each."""

from django.db.backends.base.base import BaseDatabaseWrapper

from compat.copying.backends.base import Backend
from compat.copying.backends.postgresql import PostgreSQL
from compat.copying.backends.sqlite import SQLite
from compat.copying.errors import Blocked

BACKENDS: dict[str, type[Backend]] = {"postgresql": PostgreSQL, "sqlite": SQLite}

__all__ = ["Backend", "backend_for"]


def backend_for(connection: BaseDatabaseWrapper) -> Backend:
    """Return what the connection's database can do; raise Blocked for one that copies do not support."""
    try:
        return BACKENDS[connection.vendor](connection)
    except KeyError:
        known = ", ".join(sorted(BACKENDS))
        raise Blocked(f"Copying does not support {connection.display_name}; use one of: {known}.") from None
