"""Inserting projected rows into the target.

A server that checks foreign keys row by row spends more time on that than on writing. Where it lets us, one statement
does what its checks do: it locks the rows that the projected rows refer to, so that nobody deletes them before the
commit, and inserts only rows whose parents it has locked.
"""

from dataclasses import dataclass
from itertools import chain

from django.db import connections

from compat.copying.dialects import Reference
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, execute, fetch

MIN_ROWS_PER_PARENT = 100
"""Parents are few when there are so many rows to insert for each of them. Then all are locked: to find out which of
them are meant takes a tenth of the time of writing."""


def insert(statements: Statements, projected: Sql, rows: int, *, only_fit: bool) -> int:
    """Insert the projected rows, `rows` by number, with `only_fit` those that keep every constraint; return how many.

    Rows without a parent are left out in any case where foreign keys are checked for all of them at once.
    """
    references, table = statements.references, statements.copy.target._meta.db_table
    with (
        connections[statements.using].cursor() as cursor,
        statements.dialect.unchecked_keys(cursor, table, references) as unchecked,
    ):
        insertion = _Insertion(statements, projected, rows, references if unchecked else [])
        return execute(statements.using, insertion.statement(only_fit=only_fit))


@dataclass(frozen=True)
class _Insertion:
    """An INSERT that checks the foreign keys `at_once` itself."""

    statements: Statements
    projected: Sql
    rows: int
    at_once: list[Reference]

    def statement(self, *, only_fit: bool) -> Sql:
        """Return the statement that locks and inserts."""
        made, quote = self.statements, self.statements.quote
        values = ", ".join(quote(f"to_{column}") for column in made.columns)
        where = [self._is_locked(to) for to in self.at_once]
        where += [made.fit(p for p in made.row_constraints if p.reference not in self.at_once)] if only_fit else []
        where += [f"NOT EXISTS ({made.counterpart()})"] if made.copy.keep_keys else []
        joins = "".join(self._joining(to) for to in self.at_once if to.optional)
        locked = [self._locking(to) for to in self.at_once]
        locking = f"WITH {', '.join(parents.text for parents in locked)} " if locked else ""
        into = f"{locking}INSERT INTO {made.target} ({', '.join(map(quote, made.columns))})"
        conditions = f" WHERE {' AND '.join(where)}" if where else ""
        params = (*chain.from_iterable(parents.params for parents in locked), *self.projected.params)
        return Sql(f"{into} SELECT {values} FROM ({self.projected.text}) projected{joins}{conditions}", params)  # noqa: S608 quoted names

    def _locking(self, to: Reference) -> Sql:
        quote = self.statements.quote
        key, table = quote(to.key), quote(to.table)
        meant = Sql("")
        if not self._are_few_and_free(table, self.rows // MIN_ROWS_PER_PARENT):
            referred = f"SELECT {self._value(to)} FROM ({self.projected.text}) projected"  # noqa: S608 quoted names
            meant = Sql(f"WHERE {key} IN ({referred})", self.projected.params)
        rows = f"SELECT {key} AS key FROM {table} {meant.text} FOR KEY SHARE"  # noqa: S608 quoted names
        return Sql(f"{self._parents(to)} AS MATERIALIZED ({rows})", meant.params)

    def _are_few_and_free(self, table: str, few: int) -> bool:
        """Tell whether all rows of a table can be locked; where others hold some, only those that are meant should."""
        some = f"SELECT count(*) FROM (SELECT FROM {table} LIMIT {few + 1}) parents"  # noqa: S608 quoted names
        free = f"SELECT count(*) FROM (SELECT FROM {table} FOR KEY SHARE SKIP LOCKED) parents"  # noqa: S608 quoted names
        [(parents,)] = fetch(self.statements.using, Sql(some))
        return bool(parents <= few and fetch(self.statements.using, Sql(free)) == [(parents,)])

    def _joining(self, to: Reference) -> str:
        """Join the locked parents: of `IN` beside an OR the planner makes a loop where they outgrow its memory."""
        parents = self._parents(to)
        return f" LEFT JOIN {parents} ON {parents}.key = {self._value(to)}"

    def _is_locked(self, to: Reference) -> str:
        value, parents = self._value(to), self._parents(to)
        if to.optional:
            return f"({value} IS NULL OR {parents}.key IS NOT NULL)"
        return f"{value} IN (SELECT key FROM {parents})"  # noqa: S608 quoted names

    def _value(self, to: Reference) -> str:
        return self.statements.quote(f"to_{to.column}")

    def _parents(self, to: Reference) -> str:
        return f"parents_{self.at_once.index(to)}"
