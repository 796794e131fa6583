"""SQLite."""

from django.db.backends.base.base import BaseDatabaseWrapper

from compat.copying.dialects.base import Dialect, ForeignKeys
from compat.copying.dialects.sqlite.expressions import SQLiteExpressions
from compat.copying.dialects.sqlite.introspection import SQLiteIntrospection
from compat.copying.dialects.sqlite.loading import SQLiteLoading
from compat.copying.dialects.sqlite.sequences import SQLiteSequences
from compat.copying.dialects.sqlite.session import SQLiteSession
from compat.copying.dialects.sqlite.times import SQLiteTimes
from compat.copying.dialects.sqlite.types import SQLiteTypes


def dialect(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection to SQLite."""
    return Dialect(
        connection,
        SQLiteExpressions(connection),
        SQLiteTypes(connection),
        SQLiteTimes(connection),
        SQLiteLoading(connection),
        SQLiteIntrospection(connection),
        SQLiteSession(connection),
        SQLiteSequences(connection),
        ForeignKeys(connection),
    )
