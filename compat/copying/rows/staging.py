"""Rows on their way from one database to another: read in the source, laid in a temporary table of the target.

There the same statements work on them as work on the source itself within one database. A value that the
target's type cannot hold is left out, and the column `flaw` says why.
"""

from typing import Any

from django.db import connections
from django.db.models import Field

from compat.copying.declaration import Copy
from compat.copying.dialects import Dialect, dialect_for
from compat.database.sql import Sql, literal

TABLE = "compat_stage"
ROWS = 50_000
"""Rows that are on their way at once, at most."""


def stage(copy: Copy, view: Sql, rows: int, source: str, target: str) -> Sql:
    """Carry the `rows` rows that `view` selects in the database `source` over; return the query for them there."""
    dialect = dialect_for(connections[target])
    table = f"{dialect.temporary_schema}.{TABLE}"
    export = _Export(copy, view, dialect_for(connections[source]), dialect)
    with connections[target].cursor() as into, connections[source].cursor() as cursor:
        _create(into, table, copy, export.fields)
        with export.source.exporting():
            cursor.execute(*export.fit())
            carried = dialect.load(into, table, export.columns, cursor)
            if carried < rows:
                cursor.execute(*export.flawed())
                dialect.load(into, table, ["flaw", *export.columns], cursor)
    return Sql(f"SELECT * FROM {table}")  # noqa: S608 our own name


def _create(cursor: Any, table: str, copy: Copy, fields: "list[Field[Any, Any]]") -> None:
    quote = cursor.db.ops.quote_name
    names = [f"{quote(field.column)} AS {quote(f'to_{field.column}')}" for field in fields]
    columns = ", ".join([f"{quote(copy.target_key)} AS source_key", *names])
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(
        f"CREATE TABLE {table} AS SELECT '' AS flaw, {columns} FROM {quote(copy.target._meta.db_table)} WHERE 1 = 0"  # noqa: S608 quoted names
    )


class _Export:
    """The queries that read the rows of a view in the form that the target loads."""

    def __init__(self, copy: Copy, view: Sql, source: Dialect, target: Dialect) -> None:
        self.view, self.source, self.target = view, source, target
        self.fields = [field for field, expression in copy.fields if not copy.is_constant(expression)]
        self.columns = ["source_key", *(f"to_{field.column}" for field in self.fields)]
        self.values = {field: source.connection.ops.quote_name(f"to_{field.column}") for field in self.fields}
        self.row_constraints = {
            field: [
                (f"({value} IS NULL OR {condition}) IS TRUE", reason)
                for condition, reason in source.export_constraints(field, value, target)
            ]
            for field, value in self.values.items()
        }

    def fit(self) -> tuple[str, tuple[Any, ...]]:
        """Read the rows whose every value can be carried."""
        values = [self.source.exported(field, value, self.target) for field, value in self.values.items()]
        return self._select(["source_key", *values], self._all_fit())

    def flawed(self) -> tuple[str, tuple[Any, ...]]:
        """Read the other rows, without the values at fault and after what is wrong with them."""
        flaws, values = [], []
        for field, value in self.values.items():
            fits = " AND ".join(condition for condition, _ in self.row_constraints[field]) or "1 = 1"
            flaws += [
                f"CASE WHEN {condition} THEN '' ELSE {literal(f'{reason}; ')} END"
                for condition, reason in self.row_constraints[field]
            ]
            values.append(self.source.exported(field, f"CASE WHEN {fits} THEN {value} END", self.target))
        return self._select([" || ".join(flaws) or "''", "source_key", *values], f"NOT ({self._all_fit()})")

    def _all_fit(self) -> str:
        return (
            " AND ".join(condition for constraints in self.row_constraints.values() for condition, _ in constraints)
            or "1 = 1"
        )

    def _select(self, columns: list[str], where: str) -> tuple[str, tuple[Any, ...]]:
        return f"SELECT {', '.join(columns)} FROM ({self.view.text}) projected WHERE {where}", self.view.params  # noqa: S608 quoted names
