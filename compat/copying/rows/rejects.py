"""Rows that the target cannot hold, found by constraints or by bisection and kept with reasons and values."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from compat.copying.key_types import Key, KeyList
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.reasons import Reason, in_english
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, fetch

MAX_KEYS_PER_STATEMENT = 500
Reasons = dict[Key, list[Reason]]
"""Reasons by source key."""


def unfit(statements: Statements, projected: Sql, *, only_missing: bool = False) -> Reasons:
    """Return what is wrong with each projected row that breaks a constraint; see `Statements.unfit`."""
    rows = fetch(statements.using, statements.unfit(projected, only_missing=only_missing))
    read = statements.keys.type.from_cursor
    return {read(key): statements.reasons(flaws, tuple(met)) for key, flaws, *met in rows}


def reject(run: CopyRun, statements: Statements, reasons: Reasons) -> None:
    """Store the source rows with these keys as rejects of `run`, or give open ones their new reasons."""
    payloads = dict(_payloads(statements, reasons))
    rows = [
        RejectedRow(
            run=run,
            source_pk=key if isinstance(key, int) else None,
            source_key=statements.keys.type.to_text(key),
            reason=in_english(of_row),
            reasons=[reason.as_json() for reason in of_row],
            payload=payloads.get(key, {}),
        )
        for key, of_row in reasons.items()
    ]
    takes_target = connections[statements.using].features.supports_update_conflicts_with_target
    RejectedRow.objects.using(statements.using).bulk_create(
        rows, batch_size=MAX_KEYS_PER_STATEMENT, update_conflicts=True,
        unique_fields=["run", "source_key"] if takes_target else None,
        update_fields=["reason", "reasons", "payload", "resolved_at"],
    )  # fmt: skip


def open_rejects(run: CopyRun, statements: Statements, keys: Iterable[Key] | None = None) -> QuerySet[RejectedRow]:
    """Return the rejects of a run that are not resolved: all, or those of some source keys."""
    rejects = RejectedRow.objects.using(statements.using).filter(run=run, resolved_at=None)
    return rejects if keys is None else rejects.filter(source_key__in=map(statements.keys.type.to_text, keys))


def keys_of(statements: Statements, rejects: QuerySet[RejectedRow]) -> list[Key]:
    """Return the source keys of rejects, in the order of their rejection."""
    texts = rejects.order_by("pk").values_list("source_key", flat=True)
    return [statements.keys.type.from_text(text) for text in texts]


def _payloads(statements: Statements, keys: Iterable[Key]) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Yield the key of each source row and the values that the copy reads."""
    connection, dialect, copy = connections[statements.source_using], statements.source_dialect, statements.copy
    columns = copy.source_columns
    key = statements.source_key
    values = ", ".join(dialect.types.payload(connection.ops.quote_name(column)) for column in columns)
    left = iter(keys)
    with connection.cursor() as cursor:
        while some := tuple(islice(left, MAX_KEYS_PER_STATEMENT)):
            condition = KeyList(some).condition(key)
            cursor.execute(f"SELECT {key}, {values} FROM {statements.source} WHERE {condition.text}", condition.params)  # noqa: S608 quoted names
            for row_key, *row in cursor.fetchall():
                yield (
                    statements.keys.type.from_cursor(row_key),
                    dict(zip(columns, map(dialect.types.plain, row), strict=True)),
                )
