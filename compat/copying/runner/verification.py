"""The verification of a run: wait for open transactions, compare every row, and copy rows that were committed late."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice

from django.db import connections
from django.db.models import QuerySet

from compat.copying.declaration import Copy
from compat.copying.dialects import dialect_for
from compat.copying.errors import WritersRemain
from compat.copying.job import Job
from compat.copying.key_types import Key, KeyRange
from compat.copying.messages import Message
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import copy_missing
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT
from compat.copying.rows.selection import chunks, staged
from compat.copying.rows.statements import Statements
from compat.copying.rows.verification import MAX_SAMPLES, Differences, compare_keys
from compat.copying.runner.workers import run_parallel
from compat.copying.runs import store
from compat.copying.states import State

logger = logging.getLogger(__name__)

WRITERS_WAIT_SECONDS = 60.0
"""How long to wait for open transactions."""
WRITERS_POLL_SECONDS = 0.1


def wait_for_writers(job: Job, run: CopyRun) -> None:
    """Wait until the transactions that may still commit rows into the keys of the run have ended.

    Raises WritersRemain when one stays open for longer than WRITERS_WAIT_SECONDS.
    """
    table = job.copy.source._meta.db_table

    def writers() -> dict[str, str]:
        return job.retrying(lambda: _open_writers(job, table), f"run {run.pk}, looking for open transactions")

    awaited = writers()
    deadline = time.monotonic() + WRITERS_WAIT_SECONDS
    while remaining := {key: description for key, description in writers().items() if key in awaited}:
        if time.monotonic() > deadline:
            facts = {"table": table, "seconds": WRITERS_WAIT_SECONDS, "writers": "; ".join(remaining.values())}
            raise WritersRemain(Message("writers_remain", **facts))
        if job.stop.wait(WRITERS_POLL_SECONDS):
            return


def _open_writers(job: Job, table: str) -> dict[str, str]:
    connection = connections[job.source]
    with connection.cursor() as cursor:
        return dialect_for(connection).introspection.open_writers(cursor, table)


def verify_run(job: Job, run: CopyRun, *, sweep: bool) -> Differences:
    """Compare all rows of a run; with `sweep`, copy missing rows first.

    After a stop request the remaining ranges are not compared.
    """
    ranges = job.retrying(lambda: list(store.ranges_of(run, job.using)), f"run {run.pk}, looking for its ranges")
    found = Differences()

    def worker() -> Callable[[CopyRange], Differences]:
        return partial(_verify_range, job, run, job.statements(run), sweep=sweep)

    for of_range in run_parallel(job, ranges, worker):
        found += of_range
    return found


def without_older_rows(job: Job, run: CopyRun, differences: Differences) -> Differences:
    """Of a copy that keeps keys, log the rows that the target had before with other values, and do not count them."""
    if job.copy.keys().owns_range or not differences.changed:
        return differences
    older = Differences(changed=differences.changed, samples=differences.samples)
    logger.warning(
        "run %d: rows of %s that were in the target before differ from the source and were left as they are: %s",
        run.pk, job.copy.target._meta.db_table, older.message().in_english(),
    )  # fmt: skip
    return replace(differences, changed=0)


def store_verification(run: CopyRun, using: str, found: Differences) -> None:
    """Store what a verification found of a completed run, so that the next copy copies the missing rows."""
    completed = CopyRun.objects.using(using).filter(pk=run.pk, state=State.COMPLETED)
    completed.update(verified=not found, differences=found.counts())


def uncovered_rows(copy: Copy, using: str, source: str) -> Differences:
    """Return the source rows whose keys no run has covered, as missing ones."""
    rows = copy.keys().uncovered(QuerySet(copy.source, using=source), store.covered(copy, using, source))
    samples = list(rows.order_by("pk").values_list("pk", flat=True)[:MAX_SAMPLES])
    return Differences(missing=rows.count(), samples={"missing": samples})


def _verify_range(job: Job, run: CopyRun, statements: Statements, part: CopyRange, *, sweep: bool) -> Differences:
    found = Differences()
    for keys in chunks(statements, statements.keys.range_of(part)):
        if job.stop.requested():
            return found
        found += _verify_keys(job, run, statements, part, keys, sweep=sweep)
    job.progress.advance(part.copied)
    return found


def _verify_keys(
    job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange, *, sweep: bool
) -> Differences:
    what = f"run {run.pk}, verifying keys {keys}"
    found = job.retrying(lambda: compare_keys(run, statements, keys), what)
    if sweep and found.missing:
        _copy_late_rows(job, run, statements, part, keys)
        found = job.retrying(lambda: compare_keys(run, statements, keys), what)
    return found


def _copy_late_rows(job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange) -> None:
    """Copy the rows that were committed after the batch with their keys."""

    def look() -> list[Key]:
        with staged(statements):
            projected = statements.projected(keys)
            return statements.fetch_keys(job.using, statements.missing_keys(projected, run.pk))

    missing = iter(job.retrying(look, f"run {run.pk}, looking for late rows"))
    while late := tuple(islice(missing, MAX_KEYS_PER_STATEMENT)):
        logger.info("run %d: %d rows were committed late, from key %s", run.pk, len(late), late[0])
        job.retrying(
            lambda late=late: copy_missing(run, part, statements, late),  # type: ignore[misc]
            f"run {run.pk}, late rows from key {late[0]}",
        )
