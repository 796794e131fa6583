"""Names of tables: the key under which a snapshot lists a table, and its quoted form."""

from django.db.backends.base.base import BaseDatabaseWrapper

from compat.database.sql import quote_table, table_parts


def table_key(connection: BaseDatabaseWrapper, db_table: str) -> str:
    """Return the key of `db_table`; `"schema"."table"` becomes schema.table.

    A name that is longer than the server's names is cut, in bytes, as the server cuts it.
    """
    longest = connection.ops.max_name_length()
    return ".".join(part.encode()[:longest].decode(errors="ignore") for part in table_parts(db_table))


def schema_and_table(key: str) -> tuple[str, str]:
    """Split a key into schema and table; the schema is empty where the key names none."""
    schema, _, table = key.rpartition(".")
    return schema, table


def quote_key(connection: BaseDatabaseWrapper, key: str) -> str:
    """Quote the table of a key for SQL."""
    schema, table = schema_and_table(key)
    return quote_table(connection, f'{schema}"."{table}' if schema else table)


def quote_columns(connection: BaseDatabaseWrapper, *names: str) -> str:
    """Quote names and separate them by commas."""
    return ", ".join(map(connection.ops.quote_name, names))
