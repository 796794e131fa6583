"""Inserting mapped rows into the target.

A server that checks foreign keys row by row spends more time on that than on writing. Where it lets us, one statement
does what its checks do: it locks the rows that the mapped rows refer to, so that nobody deletes them before the
commit, and inserts only rows whose parents it has locked.
"""

from collections.abc import Sequence

from django.db import connections

from compat.copying.backends import Reference
from compat.copying.sql import Sql, execute
from compat.copying.statements import Statements


def insert(statements: Statements, mapped: Sql, *, only_fit: bool) -> int:
    """Insert the mapped rows, with `only_fit` those that keep every promise; return their number.

    Rows without a parent are left out in any case where foreign keys are checked for all of them at once.
    """
    references, table = statements.references, statements.copy.target._meta.db_table
    with (
        connections[statements.using].cursor() as cursor,
        statements.backend.unchecked_keys(cursor, table, references) as unchecked,
    ):
        statement = _insert(statements, mapped, references if unchecked else (), only_fit=only_fit)
        return execute(statements.using, statement)


def _insert(statements: Statements, mapped: Sql, at_once: Sequence[Reference], *, only_fit: bool) -> Sql:
    quote = statements.quote
    into = f"INSERT INTO {statements.target} ({', '.join(map(quote, statements.columns))})"
    values = ", ".join(quote(f"to_{column}") for column in statements.columns)
    where = [_parent_is_locked(statements, reference) for reference in at_once]
    where += [statements.fit(p for p in statements.promises if p.reference not in at_once)] if only_fit else []
    where += [f"NOT EXISTS ({statements.counterpart()})"] if statements.copy.keep_keys else []
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    locking = f"WITH {', '.join(_locked(statements, mapped, to) for to in at_once)} " if at_once else ""
    text = f"{locking}{into} SELECT {values} FROM ({mapped.text}) mapped{conditions}"  # noqa: S608 quoted names
    return Sql(text, mapped.params * (len(at_once) + 1))


def _locked(statements: Statements, mapped: Sql, to: Reference) -> str:
    quote = statements.quote
    referred = f"SELECT {quote(f'to_{to.column}')} FROM ({mapped.text}) mapped"  # noqa: S608 quoted names
    parents = f"SELECT {quote(to.key)} AS key FROM {quote(to.table)} WHERE {quote(to.key)} IN ({referred})"  # noqa: S608 quoted names
    return f"{_parents(statements, to)} AS MATERIALIZED ({parents} FOR KEY SHARE)"


def _parent_is_locked(statements: Statements, to: Reference) -> str:
    value = statements.quote(f"to_{to.column}")
    locked = f"{value} IN (SELECT key FROM {_parents(statements, to)})"  # noqa: S608 quoted names
    return f"({value} IS NULL OR {locked})" if to.optional else locked


def _parents(statements: Statements, to: Reference) -> str:
    return statements.quote(f"parents_of_{to.column}")
