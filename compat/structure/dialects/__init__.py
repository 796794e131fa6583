"""What differs between databases for verification and repair; one package per vendor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from compat.database.dialects import Dialect as DatabaseDialect
from compat.database.dialects import dialect_of
from compat.database.errors import UnsupportedDatabase
from compat.database.files import absent_file
from compat.structure.dialects import postgresql, sqlite
from compat.structure.dialects.base import Dialect
from compat.structure.errors import Unverifiable

DIALECTS: dict[str, Callable[[DatabaseDialect], Dialect]] = {
    "postgresql": postgresql.dialect,
    "sqlite": sqlite.dialect,
}
"""By vendor: how tables are read, types judged, repairs written, and transactions opened."""


def structure_dialect(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection. Raises Unverifiable when its vendor has none."""
    try:
        return DIALECTS[connection.vendor](dialect_of(connection))
    except (UnsupportedDatabase, KeyError) as error:
        raise Unverifiable(str(UnsupportedDatabase(connection, ", ".join(DIALECTS)))) from error


@contextmanager
def without_creating(using: str) -> Iterator[None]:
    """Replace the alias by an empty database in memory while connecting would create its SQLite file."""
    connection = connections[using] if using in list(connections) else None
    file = absent_file(connection) if connection is not None else None
    if connection is None or file is None or not file.parent.is_dir():
        yield
        return
    with sqlite.in_memory(connection) as instead:
        connections[using] = instead
        try:
            yield
        finally:
            connections[using] = connection
