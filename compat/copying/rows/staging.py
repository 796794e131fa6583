"""Rows of another database: rendered there in the neutral form and loaded into a staging table of the target.

The staging table holds what the source holds, in columns that cannot change it. Statements read it through conversions
of the target's dialect, which are checked like everything that a row must meet. A value that is not of its column's
kind has no neutral form: it is staged as NULL, and `flaws` holds the number of the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connections

from compat.copying.dialects import Dialect
from compat.copying.dialects.base import StagedColumn
from compat.copying.dialects.neutral import Check
from compat.copying.reasons import Reason
from compat.copying.rows.fields import SOURCE_KEY, ProjectedField
from compat.database.sql import Sql

FLAWS = "flaws"
MAX_STAGED_ROWS = 50_000
"""Rows that are staged at once."""


@dataclass(frozen=True)
class Staging:
    """The way of the varying fields of a copy from a source's database to a target's."""

    source: Dialect
    target: Dialect
    key: Any
    """The target's primary key field."""
    fields: Sequence[ProjectedField]

    def carry(self, view: Sql, rows: int) -> None:
        """Stage the `rows` rows that `view` selects in the source's database."""
        loading = self.target.loading
        with self._cursor(self.target) as into, self._cursor(self.source) as cursor, self.source.loading.reading():
            loading.create(into, [StagedColumn(FLAWS), *self._columns])
            cursor.execute(*self._renderable(view))
            carried = loading.load(into, self._columns, cursor)
            if carried < rows:
                cursor.execute(*self._flawed(view))
                loading.load(into, [StagedColumn(FLAWS), *self._columns], cursor)

    def reasons(self, flaws: str) -> list[Reason]:
        """Return the reasons whose numbers are in the column `flaws`."""
        return [self._checks[int(number)].reason for number in flaws.split()]

    @staticmethod
    def _cursor(dialect: Dialect) -> Any:
        return connections[dialect.connection.alias].cursor()

    @cached_property
    def _columns(self) -> list[StagedColumn]:
        return [StagedColumn(SOURCE_KEY, self.key), *(StagedColumn(each.raw_alias, each.field) for each in self.fields)]

    @cached_property
    def _conversions(self) -> list[tuple[str, list[Check]]]:
        """The neutral form of each field's value, with the checks of the value; NULL needs none."""
        found = []
        for each in self.fields:
            conversion = self.source.types.to_neutral(each.field, each.value)
            checks = [Check(f"({each.value} IS NULL OR {check.condition}) IS TRUE", check.reason)
                      for check in conversion.checks]  # fmt: skip
            found.append((conversion.sql, checks))
        return found

    @cached_property
    def _checks(self) -> list[Check]:
        return [check for _, checks in self._conversions for check in checks]

    @property
    def _key(self) -> str:
        return self.source.types.to_neutral(self.key, f"projected.{SOURCE_KEY}").sql

    def _renderable(self, view: Sql) -> tuple[str, tuple[Any, ...]]:
        """Select the rows whose every value has a neutral form."""
        return self._select(view, [self._key, *(sql for sql, _ in self._conversions)], _all(self._checks))

    def _flawed(self, view: Sql) -> tuple[str, tuple[Any, ...]]:
        """Select the other rows, without the values at fault, after the numbers of what is wrong with them."""
        flaws = [
            f"CASE WHEN {check.condition} THEN '' ELSE '{number} ' END" for number, check in enumerate(self._checks)
        ]
        values = [f"CASE WHEN {_all(checks)} THEN {sql} END" for sql, checks in self._conversions]
        return self._select(
            view, [self.source.sql.concatenated(flaws), self._key, *values], f"NOT ({_all(self._checks)})"
        )

    @staticmethod
    def _select(view: Sql, columns: list[str], where: str) -> tuple[str, tuple[Any, ...]]:
        return f"SELECT {', '.join(columns)} FROM ({view.text}) projected WHERE {where}", view.params  # noqa: S608 our own names


def _all(checks: Sequence[Check]) -> str:
    return " AND ".join(check.condition for check in checks) or "1 = 1"


def read_staged(target: Dialect, field: ProjectedField) -> list[str]:
    """Return the columns of the projection that read a field from the staging table.

    Where the target cannot hold every neutral value, the neutral form is projected, too, for the checks.
    """
    conversion = target.types.from_neutral(field.field, f"staged.{field.raw_alias}")
    columns = [f"{conversion.sql} AS {field.alias}"]
    return [f"staged.{field.raw_alias}", *columns] if conversion.checks else columns
