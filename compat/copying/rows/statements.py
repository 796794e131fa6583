"""The SQL of a run, made from the declaration by the ORM's own compiler.

`projected` is the source seen through the declaration: its key as `source_key`, and every target column
as `to_<column>`. All other statements select from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import BigIntegerField, DateTimeField, F, Field, Value
from django.db.models.functions import Cast
from django.db.models.sql import Query

from compat.copying.declaration import Copy
from compat.copying.dialects import Dialect, Reference, dialect_for
from compat.copying.functions import RunTimestamp
from compat.copying.rows.row_constraints import RowConstraint, row_constraints_of
from compat.copying.rows.staging import stage
from compat.database.errors import Failure
from compat.database.retry import failure_of
from compat.database.sql import Sql, fetch, literal


@dataclass(frozen=True)
class Statements:
    """The statements of a copy into the database `using`, for one offset and timestamp."""

    copy: Copy
    using: str
    source_using: str
    offset: int
    timestamp: datetime
    unguarded: bool = False
    """Whether constraints of the target are set aside, so that the database refuses nothing."""
    coming: frozenset[str] = frozenset()
    """Tables whose rows are still to come, so that references to them are not judged."""

    @cached_property
    def dialect(self) -> Dialect:
        """What the database can do."""
        return dialect_for(connections[self.using])

    @property
    def checked(self) -> bool:
        """Whether constraints must be asked before a row is written."""
        return self.unguarded or self.is_cross_database or self.dialect.silent

    @property
    def is_cross_database(self) -> bool:
        """Whether the rows come from another database."""
        return self.source_using != self.using

    def is_row_error(self, error: DatabaseError) -> bool:
        """Tell whether a database refused rows for what they hold, in the source or in the target."""
        return any(failure_of(error, using) is Failure.ROW for using in {self.using, self.source_using})

    @cached_property
    def row_constraints(self) -> list[RowConstraint]:
        """What every row of the target must keep."""
        constraints = row_constraints_of(self.copy, self.dialect, connections[self.using])
        return [p for p in constraints if not (p.reference and p.reference.table in self.coming)]

    @property
    def references(self) -> list[Reference]:
        """The foreign keys among them."""
        return [constraint.reference for constraint in self.row_constraints if constraint.reference]

    @cached_property
    def columns(self) -> list[str]:
        """The target columns that a copy writes, the key first."""
        return [self.copy.target_key, *(field.column for field, _ in self.copy.fields)]

    def quote(self, name: str) -> str:
        """Quote a table or column name."""
        return connections[self.using].ops.quote_name(name)

    @property
    def target(self) -> str:
        """The target table, quoted."""
        return self.quote(self.copy.target._meta.db_table)

    def projected(self, condition: dict[str, Any]) -> Sql:
        """Select the source rows that meet an ORM condition as the target shall hold them, in the target's database.

        From another database they are brought into a temporary table first, within the open transaction.
        """
        if not self.is_cross_database:
            same = {f"to_{field.column}": self._value(value) for field, value in self._constants()}
            return self._view(condition, {f"to_{self.copy.target_key}": self._target_key(), **same})
        [(rows,)] = fetch(self.source_using, self.count(self.selected(condition)))
        staged = stage(self.copy, self._view(condition), rows, self.source_using, self.using)
        constants = [self._compiled(field.column, self._value(value)) for field, value in self._constants()]
        columns = [f"source_key + {int(self.offset)} AS {self.quote(f'to_{self.copy.target_key}')}"]
        columns += [constant.text for constant in constants]
        params = tuple(param for constant in constants for param in constant.params)
        return Sql(f"SELECT staged.*, {', '.join(columns)} FROM ({staged.text}) staged", params)  # noqa: S608 quoted names

    def _view(self, condition: dict[str, Any], more: dict[str, Any] | None = None) -> Sql:
        """Select the varying values of source rows, and `more`, in the source's database."""
        values = {"source_key": F("pk"), **(more or {})}
        values |= {f"to_{field.column}": value for field, value in self.copy.fields if not self.copy.is_constant(value)}
        rows = self.copy.source._base_manager.using(self.source_using).filter(**condition).order_by()
        query = rows.annotate(**values).values_list(*values).query
        text, params = query.get_compiler(self.source_using).as_sql()
        return Sql(text + dialect_for(connections[self.source_using]).fence, tuple(params))

    def _constants(self) -> "list[tuple[Field[Any, Any], Any]]":
        """Return the fields that all rows of a run have alike: from another database these need not travel."""
        return [(field, value) for field, value in self.copy.fields if self.copy.is_constant(value)]

    def _compiled(self, column: str, expression: Any) -> Sql:
        compiler = Query(self.copy.source).get_compiler(self.using)
        text, params = compiler.compile(expression.resolve_expression(compiler.query))
        return Sql(f"{text} AS {self.quote(f'to_{column}')}", tuple(params))

    def _target_key(self) -> Any:
        return Cast(F("pk"), BigIntegerField()) + Value(self.offset) if self.offset else F("pk")

    def _value(self, expression: Any) -> Any:
        return Value(self.timestamp, DateTimeField()) if isinstance(expression, RunTimestamp) else expression

    def boundary(self, first: int, last: int, rows: int) -> Sql:
        """Select the number of source rows from `first` to `last`, at most `rows`, and the last one's key.

        Only the bare key in the source is read.
        """
        quote = connections[self.source_using].ops.quote_name
        key, table = quote(self.copy.source_key), quote(self.copy.source._meta.db_table)
        keys = f"SELECT {key} FROM {table} WHERE {key} BETWEEN %s AND %s ORDER BY {key} LIMIT %s"  # noqa: S608 quoted names
        return Sql(f"SELECT count(*), max({key}) FROM ({keys}) keys", (first, last, rows))  # noqa: S608 quoted names

    def selected(self, condition: dict[str, Any]) -> Sql:
        """Select the bare keys of the source rows that meet an ORM condition, in the source's database."""
        rows = self.copy.source._base_manager.using(self.source_using).filter(**condition).order_by()
        keys = rows.annotate(source_key=F("pk")).values_list("source_key")
        text, params = keys.query.get_compiler(self.source_using).as_sql()
        return Sql(text, tuple(params))

    def count(self, projected: Sql) -> Sql:
        """Count projected rows."""
        return Sql(f"SELECT count(*) FROM ({projected.text}) projected", projected.params)  # noqa: S608 quoted names

    def nth_key(self, projected: Sql, number: int) -> Sql:
        """Select the source key of the `number`-th projected row in key order."""
        return Sql(
            f"SELECT source_key FROM ({projected.text}) projected ORDER BY source_key LIMIT 1 OFFSET %s",  # noqa: S608 quoted names
            (*projected.params, number - 1),
        )

    def unfit(self, projected: Sql) -> Sql:
        """Select the key of every projected row that breaks a constraint, and what is wrong with it."""
        wrong = [
            f"CASE WHEN ({constraint.condition}) IS TRUE THEN '' ELSE {literal(constraint.reason + '; ')} END"
            for constraint in self.row_constraints
        ]
        reason = " || ".join(wrong)
        if self.is_cross_database:
            reason = f"CASE WHEN flaw IS NOT NULL THEN flaw ELSE {reason} END"
        unfit = f"NOT ({self.fit(self.row_constraints)})"
        return Sql(f"SELECT source_key, {reason} FROM ({projected.text}) projected WHERE {unfit}", projected.params)  # noqa: S608 quoted names

    def count_unfit(self, projected: Sql) -> Sql:
        """Count projected rows that break a constraint."""
        unfit = f"NOT ({self.fit(self.row_constraints)})"
        return Sql(f"SELECT count(*) FROM ({projected.text}) projected WHERE {unfit}", projected.params)  # noqa: S608 quoted names

    def fit(self, constraints: Iterable[RowConstraint]) -> str:
        """Return the condition that a projected row keeps these constraints and came over whole."""
        kept = [f"({constraint.condition}) IS TRUE" for constraint in constraints]
        return " AND ".join([*kept, "flaw IS NULL"] if self.is_cross_database else kept) or "1 = 1"

    def missing_keys(self, projected: Sql, run_id: int) -> Sql:
        """Select the keys of projected rows that are neither in the target nor among the run's open rejects."""
        return Sql(
            f"SELECT source_key FROM ({projected.text}) projected WHERE NOT EXISTS ({self.counterpart()}) "  # noqa: S608 quoted names
            f"AND NOT EXISTS ({self._reject()}) ORDER BY source_key",
            (*projected.params, run_id),
        )

    def changed_keys(self, projected: Sql) -> Sql:
        """Select the source keys of projected rows whose target row holds other values."""
        return Sql(
            f"SELECT source_key FROM ({projected.text}) projected JOIN {self.target} kept ON {self._same_key()} "  # noqa: S608 quoted names
            f"WHERE {self._other_values(own=not self.copy.keep_keys)} ORDER BY source_key",
            projected.params,
        )

    def compare(self, projected: Sql, first: int, last: int) -> Sql:
        """Count projected rows without a target row, target rows without a projected one, and pairs with other values.

        `projected` holds the source keys from `first` to `last`. Both sides are bounded, so that the planner
        reads as much of the target as of the source.
        """
        name = self.quote(self.copy.target_key)
        other = self._other_values(own=not self.copy.keep_keys)
        bounds = (first + self.offset, last + self.offset)
        joined = f"JOIN {self._bounded_target()} kept ON {self._same_key()}"
        missing = f"count(CASE WHEN kept.{name} IS NULL THEN 1 END)"
        changed = f"count(CASE WHEN source_key IS NOT NULL AND kept.{name} IS NOT NULL AND ({other}) THEN 1 END)"
        if self.dialect.supports_full_join:
            counts = f"{missing}, count(CASE WHEN source_key IS NULL THEN 1 END), {changed}"
            return Sql(f"SELECT {counts} FROM ({projected.text}) projected FULL {joined}", (*projected.params, *bounds))  # noqa: S608 quoted names
        kept = self.count_target(first, last)
        counts = f"{missing}, ({kept.text}) - count(kept.{name}), {changed}"
        params = kept.params + projected.params + bounds
        return Sql(f"SELECT {counts} FROM ({projected.text}) projected LEFT {joined}", params)  # noqa: S608 quoted names

    def count_target(self, first: int, last: int) -> Sql:
        """Count the target rows whose keys belong to the source keys from `first` to `last`."""
        key = self.quote(self.copy.target_key)
        return Sql(
            f"SELECT count(*) FROM {self.target} WHERE {key} BETWEEN %s AND %s",  # noqa: S608 quoted names
            (first + self.offset, last + self.offset),
        )

    def extra_keys(self, projected: Sql, first: int, last: int) -> Sql:
        """Select the target keys that belong to the source keys `first` to `last` and have no projected row."""
        key, mapped_key = self.quote(self.copy.target_key), self.quote("to_" + self.copy.target_key)
        return Sql(
            f"SELECT {key} FROM {self.target} WHERE {key} BETWEEN %s AND %s "  # noqa: S608 quoted names
            f"EXCEPT SELECT {mapped_key} FROM ({projected.text}) projected ORDER BY 1",
            (first + self.offset, last + self.offset, *projected.params),
        )

    def rollback_boundary(self, first: int, last: int, rows: int) -> Sql:
        """Select the source key that belongs to the `rows`-th target row from `last` down."""
        key = self.quote(self.copy.target_key)
        return Sql(
            f"SELECT {key} - %s FROM {self.target} WHERE {key} BETWEEN %s AND %s ORDER BY {key} DESC LIMIT 1 OFFSET %s",  # noqa: S608 quoted names
            (self.offset, first + self.offset, last + self.offset, rows - 1),
        )

    def delete_unchanged(self, projected: Sql, first: int, last: int) -> Sql:
        """Delete the target rows that still hold the projected rows' values; bounded as in `compare`."""
        key = self.quote(self.copy.target_key)
        bounds = (first + self.offset, last + self.offset)
        return Sql(
            f"DELETE FROM {self.target} WHERE {key} BETWEEN %s AND %s AND {key} IN "  # noqa: S608 quoted names
            f"(SELECT kept.{key} FROM ({projected.text}) projected "
            f"JOIN {self._bounded_target()} kept ON {self._same_key()} "
            f"WHERE NOT ({self._other_values()}){self._unreferenced()})",
            (*bounds, *projected.params, *bounds),
        )

    def _unreferenced(self) -> str:
        """Spare rows that others refer to: SQLite would find out at the commit only."""
        with connections[self.using].cursor() as cursor:
            references = self.dialect.references(cursor, self.copy.target._meta.db_table)
        return "".join(
            f" AND NOT EXISTS (SELECT 1 FROM {child} child WHERE child.{column} = kept.{key})"  # noqa: S608 quoted names
            for child, column, key in references
        )

    def _bounded_target(self) -> str:
        return f"(SELECT * FROM {self.target} WHERE {self.quote(self.copy.target_key)} BETWEEN %s AND %s)"  # noqa: S608 quoted names

    def _same_key(self) -> str:
        return f"kept.{self.quote(self.copy.target_key)} = projected.{self.quote('to_' + self.copy.target_key)}"

    def _other_values(self, *, own: bool = True) -> str:
        """Compare all columns; without `own` not those that every row of the run has alike."""
        distinct = self.dialect.distinct
        columns = [field.column for field, value in self.copy.fields if own or not self.copy.is_constant(value)]
        return " OR ".join(
            f"kept.{self.quote(name)} {distinct} projected.{self.quote('to_' + name)}" for name in columns
        )

    def counterpart(self) -> str:
        """Select the target row of a projected row."""
        return f"SELECT 1 FROM {self.target} kept WHERE {self._same_key()}"  # noqa: S608 quoted names

    def _reject(self) -> str:
        return (
            "SELECT 1 FROM compat_rejectedrow reject WHERE reject.run_id = %s "
            "AND reject.source_pk = projected.source_key AND reject.resolved_at IS NULL"
        )
