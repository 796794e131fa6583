"""Inserting projected rows into the target."""

from itertools import chain

from django.db import connections

from compat.copying.dialects.base import ParentLocks
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, execute


def insert(statements: Statements, projected: Sql, rows: int, *, only_fit: bool) -> int:
    """Insert the `rows` projected rows, with `only_fit` those that meet every constraint; return how many were written.

    Rows without a parent are left out in any case where foreign keys are checked for all of them at once.
    """
    foreign_keys, table = statements.dialect.foreign_keys, statements.copy.target._meta.db_table
    references = statements.references
    with (
        connections[statements.using].cursor() as cursor,
        foreign_keys.unchecked(cursor, table, [reference for reference, _ in references]) as unchecked,
    ):
        checked_here = references if unchecked else []
        locks = foreign_keys.lock_parents(cursor, checked_here, projected, rows)
        left_out = {reference for reference, _ in checked_here}
        fit = [each for each in statements.row_constraints if each.reference not in left_out] if only_fit else None
        conditions = [*locks.conditions, *([] if fit is None else [statements.fit(fit)])]
        return execute(statements.using, _statement(statements, projected, locks, conditions))


def _statement(statements: Statements, projected: Sql, locks: ParentLocks, conditions: list[str]) -> Sql:
    if not statements.keys.owns_range:
        conditions = [*conditions, f"NOT EXISTS ({statements.counterpart()})"]
    ctes = f"WITH {', '.join(cte.text for cte in locks.ctes)} " if locks.ctes else ""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    names, values = ", ".join(statements.columns), ", ".join(statements.columns.values())
    return Sql(
        f"{ctes}INSERT INTO {statements.target} ({names}) SELECT {values} "  # noqa: S608 quoted names
        f"FROM ({projected.text}) projected{locks.joins}{where}",
        (*chain.from_iterable(cte.params for cte in locks.ctes), *projected.params),
    )
