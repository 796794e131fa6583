"""SQL statements with their parameters, and running them."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Sql:
    """A statement and its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def fetch(using: str, query: Sql) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with connections[using].cursor() as cursor:
        cursor.execute(query.text, query.params)
        return list(cursor.fetchall())


def execute(using: str, statement: Sql) -> int:
    """Run a statement and return the number of affected rows."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return int(cursor.rowcount)


def literal(text: str) -> str:
    """Return a constant text as an SQL literal for a statement that has parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def table_parts(name: str) -> tuple[str, ...]:
    """Split a table name into schema and table.

    `db_table` may hold `"schema"."table"` or `schema"."table`, which is how Django models name a table of
    another schema. A plain name has one part.
    """
    return tuple(part.strip('"') for part in name.split('"."'))


def quote_table(connection: BaseDatabaseWrapper, name: str) -> str:
    """Quote a table name, which may name its schema (see `table_parts`)."""
    return ".".join(connection.ops.quote_name(part) for part in table_parts(name))
