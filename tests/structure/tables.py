"""Tables as values, for tests without a database."""

from django.db import connections

from compat.structure.comparison import compare_table
from compat.structure.dialects.postgresql.types import PostgreSQLTypes
from compat.structure.matching import Sides
from compat.structure.schema import Column, Table

TYPES = PostgreSQLTypes(connections["default"])


def table(*columns, name="t", **parts):
    """Return a table; a column may be given by its name alone."""
    built = [Column(column, "integer", nullable=True) if isinstance(column, str) else column for column in columns]
    return Table(name, columns={column.name: column for column in built}, **parts)


def sides(expected, actual, **parts):
    """Return both sides of a table."""
    return Sides(expected, actual, TYPES.difference, **parts)


def found(expected, actual, **parts):
    """Return what a comparison finds: code and object of each finding."""
    return [(finding.code, finding.object) for finding in compare_table(sides(expected, actual, **parts))]
