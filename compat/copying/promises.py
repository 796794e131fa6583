"""What the target promises about its rows, as SQL conditions over the mapped columns.

A database that stores what does not fit (SQLite keeps text in a float column) is asked these before it
gets a row. On any database they find in one statement which rows of a failed batch are to blame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.utils.translation import gettext as _

from compat.copying.backends import Backend, Reference
from compat.copying.declaration import Copy


@dataclass(frozen=True)
class Promise:
    """A condition that every target row keeps, and what is wrong with a row that does not."""

    column: str
    condition: str
    reason: str
    reference: Reference | None = None
    """The foreign key whose promise it is."""


def promises_of(copy: Copy, backend: Backend, connection: BaseDatabaseWrapper) -> list[Promise]:
    """Return the promises of the copied fields: values that are required, fit their type, and are referred to."""
    quote = connection.ops.quote_name
    return [
        promise
        for field, expression in copy.fields
        if not copy.is_constant(expression)
        for promise in _promises(field, quote(f"to_{field.column}"), backend, connection)
    ]


def _promises(
    field: "Field[Any, Any]", value: str, backend: Backend, connection: BaseDatabaseWrapper
) -> Iterator[Promise]:
    name = field.column
    if not field.null:
        yield Promise(
            name, f"{value} IS NOT NULL", _("%(column)s is empty, but a value is required") % {"column": name}
        )
    for condition, reason in backend.type_promises(field, value):
        yield Promise(name, f"{value} IS NULL OR {condition}", reason)
    if field.remote_field is not None and getattr(field, "db_constraint", False):
        parent = field.target_field  # type: ignore[attr-defined]
        table = parent.model._meta.db_table
        quote = connection.ops.quote_name
        exists = f"{value} IN (SELECT {quote(parent.column)} FROM {quote(table)})"  # noqa: S608 quoted names
        reason = _("%(column)s refers to a row that is not in %(table)s") % {"column": name, "table": table}
        yield Promise(name, f"{value} IS NULL OR {exists}", reason, Reference(name, table, parent.column, field.null))
