"""SQLite."""

from compat.database.dialects import Dialect as DatabaseDialect
from compat.structure.dialects.base import Dialect
from compat.structure.dialects.sqlite.ddl import SQLiteDDL
from compat.structure.dialects.sqlite.introspection import SQLiteIntrospection
from compat.structure.dialects.sqlite.memory import in_memory
from compat.structure.dialects.sqlite.session import SQLiteSession
from compat.structure.dialects.sqlite.types import SQLiteTypes

__all__ = ["dialect", "in_memory"]


def dialect(database: DatabaseDialect) -> Dialect:
    """Return the dialect of a connection to SQLite."""
    connection = database.connection
    return Dialect(
        database,
        SQLiteIntrospection(connection),
        SQLiteTypes(connection),
        SQLiteDDL(connection),
        SQLiteSession(connection),
    )
