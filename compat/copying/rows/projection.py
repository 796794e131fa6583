"""The projection: the source rows as the target shall hold them, made from the declaration by the ORM's own compiler.

Its columns have names of the engine, by position, which no column of a model can meet: `source_key`, `target_key` and
`value_<number>` for each copied field. Every statement selects from it under the name `projected`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import F, Field
from django.db.models.sql import Query

from compat.copying.declaration import Copy
from compat.copying.dialects import Dialect, dialect_for
from compat.copying.key_types import Selection
from compat.database.sql import Sql, quote_table

SOURCE_KEY, TARGET_KEY = "source_key", "target_key"


@dataclass(frozen=True)
class ProjectedField:
    """A copied field of the target, with its expression over the source and its column of the projection."""

    number: int
    field: "Field[Any, Any]"
    expression: Any
    is_constant: bool

    @property
    def alias(self) -> str:
        """The column of its value."""
        return f"value_{self.number}"

    @property
    def raw_alias(self) -> str:
        """The column of its value in the neutral form."""
        return f"raw_{self.number}"

    @property
    def value(self) -> str:
        """SQL of its value in statements that select from the projection."""
        return f"projected.{self.alias}"

    @property
    def raw(self) -> str:
        """SQL of its value in the neutral form."""
        return f"projected.{self.raw_alias}"


def projected_fields(copy: Copy) -> list[ProjectedField]:
    """Return the copied fields of the target, the key excepted."""
    return [
        ProjectedField(number, field, expression, copy.is_constant(expression))
        for number, (field, expression) in enumerate(copy.fields)
    ]


def source_key_column(copy: Copy, using: str) -> str:
    """Return the column of the source's key, quoted with its table."""
    connection = connections[using]
    return f"{quote_table(connection, copy.source._meta.db_table)}.{connection.ops.quote_name(copy.source_key)}"


def select_source(copy: Copy, using: str, rows: Selection, expressions: Mapping[str, Any]) -> Sql:
    """Select the source key and expressions over the source, by alias, for some of its rows.

    No manager of the model takes part, so that no row is left out.
    """
    query = Query(copy.source)
    resolved = {alias: part.resolve_expression(query) for alias, part in {SOURCE_KEY: F("pk"), **expressions}.items()}
    query.default_cols = False
    query.annotations.update(resolved)
    text, params = query.get_compiler(using).as_sql()
    condition = rows.condition(source_key_column(copy, using))
    fence = dialect_for(connections[using]).sql.optimization_fence
    return Sql(f"{text} WHERE {condition.text}{fence}", (*params, *condition.params))


def compiled(copy: Copy, using: str, alias: str, expression: Any) -> Sql:
    """Return an expression that reads no column as SQL with an alias."""
    compiler = Query(copy.source).get_compiler(using)
    text, params = compiler.compile(expression.resolve_expression(compiler.query))
    return Sql(f"{text} AS {alias}", tuple(params))


def read_staged(target: Dialect, field: ProjectedField) -> list[str]:
    """Return the columns of the projection that read a field from the staging table.

    Where the target cannot hold a neutral value, the value is NULL, and the neutral form is projected, too.
    """
    conversion = target.types.from_neutral(field.field, f"staged.{field.raw_alias}")
    if not conversion.checks:
        return [f"{conversion.sql} AS {field.alias}"]
    fits = " AND ".join(f"({check.condition})" for check in conversion.checks)
    return [f"staged.{field.raw_alias}", f"CASE WHEN {fits} THEN {conversion.sql} END AS {field.alias}"]
