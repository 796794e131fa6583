"""The dry run: what would be copied and rejected, and how long it would take."""

import time
from dataclasses import dataclass, replace
from functools import partial

from django.db import connections, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from compat.copying.job import Job
from compat.copying.key_types import KeyRange
from compat.copying.rows.insertion import insert
from compat.copying.rows.selection import bisected, chunks, next_keys, staged
from compat.copying.rows.statements import Statements
from compat.copying.runs import store
from compat.copying.states import RESUMABLE
from compat.database.sql import fetch

TRIAL_ROWS = 5000


@dataclass(frozen=True)
class Estimate:
    """The pending rows, those of them that would be rejected, and the seconds that the copy would take."""

    rows: int
    rejected: int
    seconds: float


def estimate(job: Job) -> Estimate:
    """Check every pending row, and time a copy of some of them in a transaction that is rolled back."""
    rows = rejected = 0
    seconds = 0.0
    for pending, statements in _pending(job):
        found = [
            counted
            for keys in chunks(statements, pending)
            for counted in bisected(statements, keys, partial(_count, statements), lambda key: (1, 1))
        ]
        count = sum(rows for rows, _ in found)
        rows, rejected = rows + count, rejected + sum(unfit for _, unfit in found)
        seconds += count * _seconds_per_row(statements, pending) if count else 0
    return Estimate(rows, rejected, seconds)


def _count(statements: Statements, keys: KeyRange) -> tuple[int, int]:
    """Count the rows with these keys, and those of them that break a constraint."""
    with staged(statements):
        projected = statements.projected(keys)
        [(rows,)] = fetch(statements.using, statements.count(projected))
        [(unfit,)] = fetch(statements.using, statements.count_unfit(projected))
    return rows, unfit


def _pending(job: Job) -> list[tuple[KeyRange, Statements]]:
    """Return the key ranges that the next copy would work on: the rest of the open run, or those of a new run."""
    if run := store.kept_runs(job.copy, job.using, job.source).filter(state__in=RESUMABLE).first():
        statements = job.statements(run)
        left = [statements.keys.remaining(part) for part in run.ranges.using(job.using).order_by("pk")]
        return [(keys, statements) for keys in left if keys]
    keys = store.next_range(job.copy, job.using, job.source)
    if keys is None:
        return []
    target: QuerySet[Model] = QuerySet(job.copy.target, using=job.using)
    strategy = job.copy.keys().behind(target.order_by("-pk").values_list("pk", flat=True).first(), keys)
    pending = _pending_tables(job)
    return [(keys, Statements(job.copy, job.using, job.source, strategy, timezone.now(), pending_tables=pending))]


def _pending_tables(job: Job) -> frozenset[str]:
    """Return the tables whose rows the run would copy first; references to them cannot be checked yet."""
    return frozenset(parent.target._meta.db_table for parent in job.copy.parents if job.is_cross_database)


def _seconds_per_row(statements: Statements, keys: KeyRange) -> float:
    trial, count = next_keys(statements, keys, TRIAL_ROWS)
    began = time.perf_counter()
    sum(bisected(statements, trial, partial(_try, statements, count), lambda key: 0))
    return (time.perf_counter() - began) / count if count else 0.0


def _try(statements: Statements, rows: int, keys: KeyRange) -> int:
    with transaction.atomic(using=statements.using):
        with connections[statements.using].cursor() as cursor:
            statements.dialect.session.begin_batch(cursor)
        projected = statements.projected(keys)
        copied = insert(replace(statements, pending_tables=frozenset()), projected, rows, only_fit=True)
        transaction.set_rollback(True, using=statements.using)
    return copied
