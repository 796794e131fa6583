"""The projection: source rows as the target shall hold them, made from the declaration by the ORM's compiler."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connections
from django.db.models import DateTimeField, F, Value
from django.db.models.sql import Query

from compat.copying.declaration import Copy
from compat.copying.dialects import Dialect, dialect_for
from compat.copying.functions import RunTimestamp
from compat.copying.key_types import Key, Selection
from compat.copying.keys import KeyStrategy
from compat.copying.rows.fields import SOURCE_KEY, TARGET_KEY, ProjectedField, projected_fields
from compat.copying.rows.staging import FLAWS, Staging, read_staged
from compat.database.sql import Sql, fetch, quote_table


@dataclass(frozen=True)
class Projection:
    """The rows of a copy into the database `using`, with the keys and the timestamp of a run."""

    copy: Copy
    using: str
    source_using: str
    keys: KeyStrategy
    timestamp: datetime

    @cached_property
    def dialect(self) -> Dialect:
        """The dialect of the target's database."""
        return dialect_for(connections[self.using])

    @cached_property
    def source_dialect(self) -> Dialect:
        """The dialect of the source's database."""
        return dialect_for(connections[self.source_using])

    @property
    def is_cross_database(self) -> bool:
        """Whether the rows come from another database."""
        return self.source_using != self.using

    @cached_property
    def fields(self) -> list[ProjectedField]:
        """The copied fields of the target, the key excepted."""
        return projected_fields(self.copy)

    def quote(self, name: str) -> str:
        """Quote a name of the target's database."""
        return connections[self.using].ops.quote_name(name)

    @property
    def source(self) -> str:
        """The source table, quoted."""
        return quote_table(connections[self.source_using], self.copy.source._meta.db_table)

    @property
    def source_key(self) -> str:
        """The key column of the source, quoted with its table."""
        return f"{self.source}.{connections[self.source_using].ops.quote_name(self.copy.source_key)}"

    def projected(self, rows: Selection) -> Sql:
        """Select source rows as the target shall hold them, in the target's database.

        From another database they are staged first, within the open transaction.
        """
        varying = {field.alias: field.expression for field in self.fields if not field.is_constant}
        if self.is_cross_database:
            return self._staged(rows, self._select_source(rows, varying))
        constants = {field.alias: self._constant(field) for field in self.fields if field.is_constant}
        expressions = {TARGET_KEY: self.keys.target_expression(), **varying, **constants}
        return self._select_source(rows, expressions)

    def _staged(self, rows: Selection, view: Sql) -> Sql:
        """Stage the rows of a view of the source, and select them with the values that all rows of a run share."""
        [(count,)] = fetch(self.source_using, self._of_source("count(*)", rows))
        self._staging.carry(view, count)
        key = self.dialect.types.from_neutral(self.copy.target._meta.pk, f"staged.{SOURCE_KEY}").sql
        columns = [
            f"{key} AS {SOURCE_KEY}",
            f"{self.keys.target_sql(self.dialect, key)} AS {TARGET_KEY}",
            f"staged.{FLAWS}",
        ]
        columns += [column for field in self._staging.fields for column in read_staged(self.dialect, field)]
        constants = [self._compiled(field) for field in self.fields if field.is_constant]
        columns += [constant.text for constant in constants]
        params = tuple(param for constant in constants for param in constant.params)
        fence = self.dialect.sql.optimization_fence
        return Sql(f"SELECT {', '.join(columns)} FROM {self.dialect.loading.table} staged{fence}", params)  # noqa: S608 our own names

    @cached_property
    def _staging(self) -> Staging:
        varying = [field for field in self.fields if not field.is_constant]
        return Staging(self.source_dialect, self.dialect, self.copy.target._meta.pk, varying)

    def _constant(self, field: ProjectedField) -> Any:
        is_timestamp = isinstance(field.expression, RunTimestamp)
        return Value(self.timestamp, DateTimeField()) if is_timestamp else field.expression

    def fetch_keys(self, using: str, query: Sql) -> list[Key]:
        """Return the keys that a query selects in one of the databases."""
        return [self.keys.type.from_cursor(key) for (key,) in fetch(using, query)]

    def _of_source(self, what: str, rows: Selection) -> Sql:
        condition = rows.condition(self.source_key)
        return Sql(f"SELECT {what} FROM {self.source} WHERE {condition.text}", condition.params)  # noqa: S608 quoted names

    def _select_source(self, rows: Selection, expressions: Mapping[str, Any]) -> Sql:
        """Select the source key and expressions over the source, by alias, for some of its rows.

        No manager of the model takes part, so that no row is left out.
        """
        query = Query(self.copy.source)
        named = {SOURCE_KEY: F("pk"), **expressions}
        resolved = {alias: expression.resolve_expression(query) for alias, expression in named.items()}
        query.default_cols = False
        query.annotations.update(resolved)
        text, params = query.get_compiler(self.source_using).as_sql()
        condition, fence = rows.condition(self.source_key), self.source_dialect.sql.optimization_fence
        return Sql(f"{text} WHERE {condition.text}{fence}", (*params, *condition.params))

    def _compiled(self, field: ProjectedField) -> Sql:
        """Return the value of a constant field, with its alias, as SQL of the target's database."""
        compiler = Query(self.copy.source).get_compiler(self.using)
        text, params = compiler.compile(self._constant(field).resolve_expression(compiler.query))
        return Sql(f"{text} AS {field.alias}", tuple(params))
