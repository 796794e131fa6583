"""Rows that the target cannot hold: found by constraints or by bisection, kept with reason and values."""

from collections.abc import Iterable
from typing import Any

from django.db import connections

from compat.copying.dialects import dialect_for
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, fetch

MAX_KEYS_PER_STATEMENT = 500
"""Keys that one statement names."""


def unfit(statements: Statements, projected: Sql) -> dict[int, str]:
    """Return what is wrong with each projected row that breaks a constraint, by its source key."""
    return {key: reason.rstrip("; ") for key, reason in fetch(statements.using, statements.unfit(projected))}


def reject_unfit(run: CopyRun, statements: Statements, projected: Sql) -> tuple[int, ...]:
    """Put the projected rows that break a constraint and are not over to the rejects, and return their source keys.

    A table that lags behind its model holds rows that break one.
    """
    waiting = f"SELECT * FROM ({projected.text}) projected WHERE NOT EXISTS ({statements.counterpart()})"  # noqa: S608 quoted names
    reasons = unfit(statements, Sql(waiting, projected.params))
    reject(run, statements, reasons)
    return tuple(reasons)


def reject(run: CopyRun, statements: Statements, reasons: dict[int, str]) -> None:
    """Keep the source rows with these keys as rejects of `run`, or give open ones their new reason."""
    payloads = dict(_payloads(statements, list(reasons)))
    rows = [
        RejectedRow(run=run, source_pk=key, reason=reason, payload=payloads.get(key, {}))
        for key, reason in reasons.items()
    ]
    RejectedRow.objects.using(statements.using).bulk_create(
        rows, batch_size=MAX_KEYS_PER_STATEMENT, update_conflicts=True, unique_fields=["run", "source_pk"],
        update_fields=["reason", "payload", "resolved_at"],
    )  # fmt: skip


def _payloads(statements: Statements, keys: list[int]) -> Iterable[tuple[int, dict[str, Any]]]:
    connection = connections[statements.source_using]
    dialect, quote, copy = dialect_for(connection), connection.ops.quote_name, statements.copy
    columns = copy.source_columns
    key, values = quote(copy.source_key), ", ".join(dialect.payload(quote(column)) for column in columns)
    with connection.cursor() as cursor:
        for start in range(0, len(keys), MAX_KEYS_PER_STATEMENT):
            chunk = keys[start : start + MAX_KEYS_PER_STATEMENT]
            marks = ", ".join(["%s"] * len(chunk))
            cursor.execute(
                f"SELECT {key}, {values} FROM {quote(copy.source._meta.db_table)} WHERE {key} IN ({marks})",  # noqa: S608 quoted names
                chunk,
            )
            for row_key, *row in cursor.fetchall():
                yield row_key, dict(zip(columns, map(dialect.plain, row), strict=True))
