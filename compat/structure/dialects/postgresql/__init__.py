"""PostgreSQL."""

from compat.database.dialects import Dialect as DatabaseDialect
from compat.structure.dialects.base import Dialect
from compat.structure.dialects.postgresql.ddl import PostgreSQLDDL
from compat.structure.dialects.postgresql.introspection import PostgreSQLIntrospection
from compat.structure.dialects.postgresql.session import PostgreSQLSession
from compat.structure.dialects.postgresql.types import PostgreSQLTypes

__all__ = ["dialect"]


def dialect(database: DatabaseDialect) -> Dialect:
    """Return the dialect of a connection to PostgreSQL."""
    connection = database.connection
    return Dialect(
        database,
        PostgreSQLIntrospection(connection),
        PostgreSQLTypes(connection),
        PostgreSQLDDL(connection),
        PostgreSQLSession(connection),
    )
