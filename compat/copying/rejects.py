"""Rows that the target cannot hold: found by promises or by bisection, kept with reason and values."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections

from compat.copying.models import CopyRun, RejectedRow
from compat.copying.statements import Sql, Statements, fetch


def reject_unfit(run: CopyRun, statements: Statements, mapped: Sql) -> tuple[int, ...]:
    """Put the mapped rows that break a promise to the rejects and return their source keys."""
    reasons = {key: _reason(statements, kept) for key, *kept in fetch(statements.using, statements.unfit(mapped))}
    reject(run, statements, reasons)
    return tuple(reasons)


def _reason(statements: Statements, kept: Sequence[bool]) -> str:
    return "; ".join(promise.reason for promise, is_kept in zip(statements.promises, kept, strict=True) if not is_kept)


def reject(run: CopyRun, statements: Statements, reasons: dict[int, str]) -> None:
    """Keep the source rows with these keys as rejects of `run`, or give open ones their new reason."""
    payloads = dict(_payloads(statements, list(reasons)))
    rows = [
        RejectedRow(run=run, source_pk=key, reason=reason, payload=payloads.get(key, {}))
        for key, reason in reasons.items()
    ]
    RejectedRow.objects.using(statements.using).bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["run", "source_pk"],
        update_fields=["reason", "payload"],
    )  # fmt: skip


def _payloads(statements: Statements, keys: list[int]) -> Iterable[tuple[int, dict[str, Any]]]:
    columns = [field.column for field in statements.copy.source._meta.concrete_fields]
    values = ", ".join(statements.backend.payload(statements.quote(column)) for column in columns)
    key = statements.quote(statements.copy.source_key)
    with connections[statements.using].cursor() as cursor:
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            marks = ", ".join(["%s"] * len(chunk))
            cursor.execute(f"SELECT {key}, {values} FROM {statements.source} WHERE {key} IN ({marks})", chunk)  # noqa: S608 quoted names
            for row_key, *row in cursor.fetchall():
                yield row_key, dict(zip(columns, map(statements.backend.plain, row), strict=True))
