"""The SQL of a run. Every statement selects from the projection; see `projection`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db import DatabaseError, connections

from compat.copying.dialects import Reference
from compat.copying.dialects.neutral import Kind, kind_of
from compat.copying.key_types import KeyRange, Selection
from compat.copying.models import RejectedRow
from compat.copying.reasons import Reason
from compat.copying.rows.fields import SOURCE_KEY, TARGET_KEY
from compat.copying.rows.projection import Projection
from compat.copying.rows.row_constraints import RowConstraint, broken_reasons, constraints_of
from compat.copying.rows.staging import FLAWS
from compat.database.errors import Failure
from compat.database.retry import failure_of
from compat.database.sql import Sql, quote_table


@dataclass(frozen=True)
class Statements(Projection):
    """The statements of a run."""

    has_deferred_keys: bool = False
    """Whether foreign keys of the target are deferred, so that the database does not check them."""
    pending_tables: frozenset[str] = frozenset()
    """Tables whose rows are copied later, so that references to them are not checked."""

    @cached_property
    def is_checked_first(self) -> bool:
        """Whether the constraints must be checked before a row is written, because the database does not check all."""
        unchecked = self.has_deferred_keys or self.is_cross_database or not self.dialect.types.are_enforced
        return unchecked or any(constraint.is_silent for constraint in self.row_constraints)

    def is_row_error(self, error: DatabaseError) -> bool:
        """Tell whether a database refused rows for what they hold, in the source or in the target."""
        return any(failure_of(error, using) is Failure.ROW for using in {self.using, self.source_using})

    @cached_property
    def row_constraints(self) -> list[RowConstraint]:
        """What every row of the target must meet."""
        constraints = [
            constraint
            for field in self.fields
            if not field.is_constant
            for constraint in constraints_of(field, self.dialect, is_staged=self.is_cross_database)
        ]
        return [each for each in constraints if not (each.reference and each.reference.table in self.pending_tables)]

    @property
    def references(self) -> list[tuple[Reference, str]]:
        """The foreign keys among the constraints, each with the projected value that refers."""
        values = {field.field.column: field.value for field in self.fields}
        found = [constraint.reference for constraint in self.row_constraints if constraint.reference]
        return [(reference, values[reference.column]) for reference in found]

    @cached_property
    def columns(self) -> dict[str, str]:
        """The target columns that a copy writes, quoted, the key first, each with its projected value."""
        values = {self.target_key: f"projected.{TARGET_KEY}"}
        return values | {self.quote(field.field.column): field.value for field in self.fields}

    @property
    def target(self) -> str:
        """The target table, quoted."""
        return quote_table(connections[self.using], self.copy.target._meta.db_table)

    @property
    def target_key(self) -> str:
        """The key column of the target, quoted."""
        return self.quote(self.copy.target_key)

    def count_source(self, rows: Selection) -> Sql:
        """Count source rows, in the source's database."""
        return self._of_source("count(*)", rows)

    def count_source_keys(self, rows: Selection) -> Sql:
        """Count the different keys of source rows, in the source's database."""
        return self._of_source(f"count(DISTINCT {self.source_key})", rows)

    def nth_source_key(self, rows: Selection, number: int, *, distinct: bool = False) -> Sql:
        """Select the `number`-th key of source rows in key order, in the source's database."""
        column = self.source_key
        keys = self._of_source(f"DISTINCT {column}" if distinct else column, rows)
        return Sql(f"{keys.text} ORDER BY {column} LIMIT 1 OFFSET %s", (*keys.params, number - 1))

    def count(self, projected: Sql) -> Sql:
        """Count projected rows."""
        return Sql(f"SELECT count(*) FROM ({projected.text}) projected", projected.params)  # noqa: S608 our own names

    def unfit(self, projected: Sql, *, only_missing: bool = False) -> Sql:
        """Select the rows that break a constraint: source key, flaws, and whether each constraint is met.

        With `only_missing`, only rows that are not in the target: a table that lags behind its model holds rows that
        break a constraint of the model.
        """
        met = [f"({constraint.condition}) IS TRUE" for constraint in self.row_constraints]
        flaws = f"projected.{FLAWS}" if self.is_cross_database else "NULL"
        where = f"NOT ({self.fit(self.row_constraints)})" + (
            f" AND NOT EXISTS ({self.counterpart()})" if only_missing else ""
        )
        columns = ", ".join([f"projected.{SOURCE_KEY}", flaws, *met])
        return Sql(f"SELECT {columns} FROM ({projected.text}) projected WHERE {where}", projected.params)  # noqa: S608 our own names

    def reasons(self, flaws: str | None, met: tuple[bool, ...]) -> list[Reason]:
        """Return what is wrong with a row that `unfit` selected."""
        return self._staging.reasons(flaws) if flaws else broken_reasons(self.row_constraints, met)

    def count_unfit(self, projected: Sql) -> Sql:
        """Count projected rows that break a constraint."""
        unfit = f"NOT ({self.fit(self.row_constraints)})"
        return Sql(f"SELECT count(*) FROM ({projected.text}) projected WHERE {unfit}", projected.params)  # noqa: S608 our own names

    def fit(self, constraints: Iterable[RowConstraint]) -> str:
        """Return the condition that a projected row meets these constraints and was staged without a flaw."""
        conditions = [f"({constraint.condition}) IS TRUE" for constraint in constraints]
        return (
            " AND ".join([*conditions, f"projected.{FLAWS} IS NULL"] if self.is_cross_database else conditions)
            or "1 = 1"
        )

    def missing_keys(self, projected: Sql, run_id: int) -> Sql:
        """Select the source keys of projected rows that are neither in the target nor among the run's open rejects."""
        return Sql(
            f"SELECT projected.{SOURCE_KEY} FROM ({projected.text}) projected WHERE NOT EXISTS ({self.counterpart()}) "  # noqa: S608 our own names
            f"AND NOT EXISTS ({self._reject()}) ORDER BY 1",
            (*projected.params, run_id),
        )

    def changed_keys(self, projected: Sql) -> Sql:
        """Select the source keys of projected rows whose target row holds other values."""
        return Sql(
            f"SELECT projected.{SOURCE_KEY} FROM ({projected.text}) projected JOIN {self.target} kept "  # noqa: S608 quoted names
            f"ON {self._same_key()} WHERE {self._other_values(own=self.keys.owns_range)} ORDER BY 1",
            projected.params,
        )

    def compare(self, projected: Sql, keys: KeyRange) -> Sql:
        """Count projected rows without a target row, target rows without a projected one, and pairs with other values.

        `projected` holds the rows of the source keys `keys`. Both sides are bounded, so that the planner reads as much
        of the target as of the source.
        """
        other, kept_key = self._other_values(own=self.keys.owns_range), f"kept.{self.target_key}"
        bounded = self._bounded_target(keys)
        joined = f"JOIN ({bounded.text}) kept ON {self._same_key()}"
        missing = f"count(CASE WHEN {kept_key} IS NULL THEN 1 END)"
        is_pair = f"projected.{SOURCE_KEY} IS NOT NULL AND {kept_key} IS NOT NULL"
        changed = f"count(CASE WHEN {is_pair} AND ({other}) THEN 1 END)"
        if self.dialect.sql.supports_full_join:
            counts = f"{missing}, count(CASE WHEN projected.{SOURCE_KEY} IS NULL THEN 1 END), {changed}"
            params = (*projected.params, *bounded.params)
            return Sql(f"SELECT {counts} FROM ({projected.text}) projected FULL {joined}", params)  # noqa: S608 quoted names
        kept = self.count_target(keys)
        counts = f"{missing}, ({kept.text}) - count({kept_key}), {changed}"
        params = (*kept.params, *projected.params, *bounded.params)
        return Sql(f"SELECT {counts} FROM ({projected.text}) projected LEFT {joined}", params)  # noqa: S608 quoted names

    def count_target(self, keys: KeyRange) -> Sql:
        """Count the target rows whose keys belong to these source keys."""
        return self._of_target("count(*)", keys)

    def extra_keys(self, projected: Sql, keys: KeyRange) -> Sql:
        """Select the target keys that belong to these source keys and have no projected row."""
        kept = self._of_target(self.target_key, keys)
        projected_keys = f"SELECT projected.{TARGET_KEY} FROM ({projected.text}) projected"  # noqa: S608 our own names
        return Sql(f"{kept.text} EXCEPT {projected_keys} ORDER BY 1", (*kept.params, *projected.params))

    def nth_target_key_down(self, keys: KeyRange, number: int) -> Sql:
        """Select the `number`-th target key from the last one down that belongs to these source keys."""
        kept = self._of_target(self.target_key, keys)
        return Sql(f"{kept.text} ORDER BY {self.target_key} DESC LIMIT 1 OFFSET %s", (*kept.params, number - 1))

    def delete_unchanged(self, projected: Sql, keys: KeyRange) -> Sql:
        """Delete the target rows that still hold the projected rows' values; bounded as in `compare`."""
        bounded = self._bounded_target(keys)
        within = self.keys.target_condition(self.target_key, keys)
        return Sql(
            f"DELETE FROM {self.target} WHERE {within.text} AND {self.target_key} IN "  # noqa: S608 quoted names
            f"(SELECT kept.{self.target_key} FROM ({projected.text}) projected "
            f"JOIN ({bounded.text}) kept ON {self._same_key()} "
            f"WHERE NOT ({self._other_values()}){self._unreferenced()})",
            (*within.params, *projected.params, *bounded.params),
        )

    def _unreferenced(self) -> str:
        """Spare rows that others refer to: SQLite would refuse at the commit only."""
        with connections[self.using].cursor() as cursor:
            referrers = self.dialect.introspection.referrers(cursor, self.copy.target._meta.db_table)
        return "".join(
            f" AND NOT EXISTS (SELECT 1 FROM {each.table} child WHERE child.{each.column} = kept.{each.key})"  # noqa: S608 quoted names
            for each in referrers
        )

    def _of_target(self, what: str, keys: KeyRange) -> Sql:
        within = self.keys.target_condition(self.target_key, keys)
        return Sql(f"SELECT {what} FROM {self.target} WHERE {within.text}", within.params)  # noqa: S608 quoted names

    def _bounded_target(self, keys: KeyRange) -> Sql:
        return self._of_target("*", keys)

    def _same_key(self) -> str:
        return f"kept.{self.target_key} = projected.{TARGET_KEY}"

    def _other_values(self, *, own: bool = True) -> str:
        """Return the condition that a pair differs; without `own`, in other values than those of the run itself."""
        fields = [field for field in self.fields if own or not field.is_constant]
        differ = [
            self.dialect.sql.differs(
                f"kept.{self.quote(each.field.column)}", each.value, is_text=kind_of(each.field) is Kind.TEXT
            )
            for each in fields
        ]
        return " OR ".join(differ) or "1 = 0"

    def counterpart(self) -> str:
        """Select the target row of a projected row."""
        return f"SELECT 1 FROM {self.target} kept WHERE {self._same_key()}"  # noqa: S608 quoted names

    def _reject(self) -> str:
        key = self.keys.type.text_sql(self.dialect, f"projected.{SOURCE_KEY}")
        return (
            f"SELECT 1 FROM {self.quote(RejectedRow._meta.db_table)} reject WHERE reject.run_id = %s "  # noqa: S608 quoted names
            f"AND reject.source_key = {key} AND reject.resolved_at IS NULL"
        )
