"""What differs between databases: one package per vendor, with a module per subject."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from compat.copying.dialects.base import Dialect, Reference
from compat.copying.errors import Blocked

__all__ = ["Dialect", "Reference", "dialect_for"]

DIALECTS = {
    "postgresql": "compat.copying.dialects.postgresql.dialect",
    "sqlite": "compat.copying.dialects.sqlite.dialect",
}
"""By vendor: the function that makes a dialect. It is imported on first use, with the drivers that it needs."""


def prepare_connection(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Let the dialect prepare a new connection."""
    if connection.vendor in DIALECTS:
        dialect_for(connection).session.prepare()


def dialect_for(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection. Raises Blocked for a database that copies do not support."""
    if connection.vendor not in DIALECTS:
        text = _("Copying does not support %(database)s; use one of: %(supported)s.")
        raise Blocked(text % {"database": connection.display_name, "supported": ", ".join(DIALECTS)})
    make = import_string(DIALECTS[connection.vendor])
    dialect: Dialect = make(connection)
    return dialect
