"""What the target constraints about its rows, as SQL conditions over the projected columns.

A database that stores what does not fit (SQLite keeps text in a float column) is asked these before it
gets a row. On any database they find in one statement which rows of a failed batch are to blame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.utils.translation import gettext as _

from compat.copying.declaration import Copy
from compat.copying.dialects import Dialect, Reference


@dataclass(frozen=True)
class RowConstraint:
    """A condition that every target row keeps, and what is wrong with a row that does not."""

    column: str
    condition: str
    reason: str
    reference: Reference | None = None
    """The foreign key whose constraint it is."""


def row_constraints_of(copy: Copy, dialect: Dialect, connection: BaseDatabaseWrapper) -> list[RowConstraint]:
    """Return the constraints of the copied fields: values that are required, fit their type, and are referred to."""
    quote = connection.ops.quote_name
    return [
        constraint
        for field, expression in copy.fields
        if not copy.is_constant(expression)
        for constraint in _constraints_of(field, quote(f"to_{field.column}"), dialect, connection)
    ]


def _constraints_of(
    field: "Field[Any, Any]", value: str, dialect: Dialect, connection: BaseDatabaseWrapper
) -> Iterator[RowConstraint]:
    name = field.column
    if not field.null:
        yield RowConstraint(
            name, f"{value} IS NOT NULL", _("%(column)s is empty, but a value is required") % {"column": name}
        )
    for condition, reason in dialect.type_constraints(field, value):
        yield RowConstraint(name, f"{value} IS NULL OR {condition}", reason)
    if field.remote_field is not None and getattr(field, "db_constraint", False):
        parent = field.target_field  # type: ignore[attr-defined]
        table = parent.model._meta.db_table
        quote = connection.ops.quote_name
        exists = f"{value} IN (SELECT {quote(parent.column)} FROM {quote(table)})"  # noqa: S608 quoted names
        reason = _("%(column)s refers to a row that is not in %(table)s") % {"column": name, "table": table}
        yield RowConstraint(
            name, f"{value} IS NULL OR {exists}", reason, Reference(name, table, parent.column, field.null)
        )
