"""What the target requires of its rows, as SQL conditions over the projection.

A database that stores what does not fit (SQLite keeps text in a float column) is protected by asking them before a row
is written. On any database they find in one statement which rows of a failed batch are to blame.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from compat.copying.dialects import Dialect, Reference
from compat.copying.reasons import Reason
from compat.copying.rows.fields import ProjectedField
from compat.database.sql import quote_table


@dataclass(frozen=True)
class RowConstraint:
    """A condition that every target row meets, and the reason for rejecting a row that does not."""

    condition: str
    reason: Reason
    reference: Reference | None = None
    """The foreign key whose constraint it is."""
    is_silent: bool = False
    """Whether the database would store another value instead of refusing the row."""
    is_conversion: bool = False
    """Whether the value of a row that does not meet it means nothing, and other constraints on it neither."""


def constraints_of(field: ProjectedField, dialect: Dialect, *, is_staged: bool) -> Iterator[RowConstraint]:
    """Yield the constraints of a copied field: its conversion, a value where required, its type, its reference."""
    if is_staged:
        for check in dialect.types.from_neutral(field.field, field.raw).checks:
            yield RowConstraint(f"{field.raw} IS NULL OR {check.condition}", check.reason, is_conversion=True)
    if not field.field.null:
        yield RowConstraint(f"{field.value} IS NOT NULL", Reason.of_column("empty", field.field.column))
    for check in dialect.types.checks(field.field, field.value):
        condition = f"{field.value} IS NULL OR {check.condition}"
        yield RowConstraint(condition, check.reason, is_silent=check.is_silent)
    if field.field.remote_field is not None and getattr(field.field, "db_constraint", False):
        yield _reference_of(field, dialect)


def _reference_of(field: ProjectedField, dialect: Dialect) -> RowConstraint:
    parent = field.field.target_field  # type: ignore[attr-defined]
    table, column = parent.model._meta.db_table, field.field.column
    key, name = dialect.connection.ops.quote_name(parent.column), quote_table(dialect.connection, table)
    return RowConstraint(
        f"{field.value} IS NULL OR {field.value} IN (SELECT {key} FROM {name})",  # noqa: S608 quoted names
        Reason.of_column("orphan", column, table=table),
        Reference(column, table, parent.column, field.field.null),
    )


def broken_reasons(constraints: list[RowConstraint], met: tuple[bool, ...]) -> list[Reason]:
    """Return the reasons of the constraints that a row does not meet."""
    broken = [constraint for constraint, is_met in zip(constraints, met, strict=True) if not is_met]
    converted = {constraint.reason.facts["column"] for constraint in broken if constraint.is_conversion}
    return [each.reason for each in broken if each.is_conversion or each.reason.facts["column"] not in converted]
