"""PostgreSQL."""

from django.db.backends.base.base import BaseDatabaseWrapper

from compat.copying.dialects.base import Dialect
from compat.copying.dialects.postgresql.expressions import PostgreSQLExpressions
from compat.copying.dialects.postgresql.foreign_keys import PostgreSQLForeignKeys
from compat.copying.dialects.postgresql.introspection import PostgreSQLIntrospection
from compat.copying.dialects.postgresql.loading import PostgreSQLLoading
from compat.copying.dialects.postgresql.sequences import PostgreSQLSequences
from compat.copying.dialects.postgresql.session import PostgreSQLSession
from compat.copying.dialects.postgresql.times import PostgreSQLTimes
from compat.copying.dialects.postgresql.types import PostgreSQLTypes


def dialect(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection to PostgreSQL."""
    return Dialect(
        connection,
        PostgreSQLExpressions(connection),
        PostgreSQLTypes(connection),
        PostgreSQLTimes(connection),
        PostgreSQLLoading(connection),
        PostgreSQLIntrospection(connection),
        PostgreSQLSession(connection),
        PostgreSQLSequences(connection),
        PostgreSQLForeignKeys(connection),
    )
