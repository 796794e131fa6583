"""The dry run: what would be copied and rejected, and how long it would take."""

import time
from dataclasses import dataclass, replace
from functools import partial

from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from compat.copying.job import Job
from compat.copying.rows.insertion import insert
from compat.copying.rows.selection import KeyRange, bisected, chunks, next_keys, staged
from compat.copying.rows.statements import Statements
from compat.copying.runs import store
from compat.copying.states import RESUMABLE
from compat.database.sql import fetch

TRIAL_ROWS = 5000


@dataclass(frozen=True)
class Estimate:
    """Rows that wait in the source, those of them that would be rejected, and the seconds it would take."""

    rows: int
    rejected: int
    seconds: float


def estimate(job: Job) -> Estimate:
    """Look at every row that waits, and copy some of them in a transaction that is rolled back."""
    rows = rejected = 0
    seconds = 0.0
    for waiting, statements in _waiting(job):
        found = [
            counted
            for keys in chunks(statements, waiting)
            for counted in bisected(statements, keys, partial(_counted, statements), lambda key: (1, 1))
        ]
        count = sum(rows for rows, _ in found)
        rows, rejected = rows + count, rejected + sum(unfit for _, unfit in found)
        seconds += count * _seconds_per_row(statements, waiting) if count else 0
    return Estimate(rows, rejected, seconds)


def _counted(statements: Statements, keys: KeyRange) -> tuple[int, int]:
    """Count the rows with these keys, and those of them that break a constraint."""
    with staged(statements):
        projected = statements.projected(keys.condition)
        [(rows,)] = fetch(statements.using, statements.count(projected))
        [(unfit,)] = fetch(statements.using, statements.count_unfit(projected))
    return rows, unfit


def _waiting(job: Job) -> list[tuple[KeyRange, Statements]]:
    """Return the key ranges that the next run would copy: what is left of an open run, or what is new."""
    if run := store.kept_runs(job.copy, job.using, job.source).filter(state__in=RESUMABLE).first():
        statements = job.statements(run)
        parts = run.ranges.using(job.using).filter(next_key__lte=F("last_key")).order_by("first_key")
        return [(KeyRange(part.next_key, part.last_key), statements) for part in parts]
    bounds = store.source_bounds(job.copy, job.using, job.source)
    if bounds is None:
        return []
    highest = job.copy.target._base_manager.using(job.using).order_by("-pk").values_list("pk", flat=True).first()
    offset = 0 if highest is None else highest + 1 - bounds[0]
    statements = Statements(job.copy, job.using, job.source, offset, timezone.now(), coming=_coming(job))
    return [(KeyRange(*bounds), statements)]


def _coming(job: Job) -> frozenset[str]:
    """Name the tables whose rows the run would bring first; nothing can be said yet about keys that refer to them."""
    return frozenset(parent.target._meta.db_table for parent in job.copy.parents if job.is_cross_database)


def _seconds_per_row(statements: Statements, keys: KeyRange) -> float:
    trial, count = next_keys(statements, keys, TRIAL_ROWS)
    began = time.perf_counter()
    sum(bisected(statements, trial, partial(_tried, statements, count), lambda key: 0))
    return (time.perf_counter() - began) / count if count else 0.0


def _tried(statements: Statements, rows: int, keys: KeyRange) -> int:
    with transaction.atomic(using=statements.using):
        with connections[statements.using].cursor() as cursor:
            statements.dialect.begin_batch(cursor)
        projected = statements.projected(keys.condition)
        copied = insert(replace(statements, coming=frozenset()), projected, rows, only_fit=True)
        transaction.set_rollback(True, using=statements.using)
    return copied
