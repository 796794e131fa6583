"""A statement with its parameters, and running it."""

from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True)
class Sql:
    """A statement and its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def fetch(using: str, query: Sql) -> list[tuple[Any, ...]]:
    """Return the rows that a statement selects."""
    with connections[using].cursor() as cursor:
        cursor.execute(query.text, query.params)
        return list(cursor.fetchall())


def execute(using: str, statement: Sql) -> int:
    """Run a statement and return the number of rows that it changed."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return int(cursor.rowcount)


def literal(text: str) -> str:
    """Write a text of our own as an SQL literal, for a statement that has parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
