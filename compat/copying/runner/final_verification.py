"""The end of a run: wait for late writers, compare every row, and bring over what came late."""

import logging
import time
from functools import partial
from itertools import islice

from django.db import connections
from django.utils.translation import gettext as _

from compat.copying.dialects import dialect_for
from compat.copying.errors import WritersRemain
from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import copy_missing
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT
from compat.copying.rows.selection import KeyRange, bisected, chunks, staged
from compat.copying.rows.statements import Statements
from compat.copying.rows.verification import Differences, compare
from compat.copying.runner.workers import share
from compat.copying.runs import store
from compat.database.sql import fetch

logger = logging.getLogger(__name__)

WRITERS_WAIT_SECONDS = 60.0
"""How long open transactions are waited for."""


def wait_for_writers(job: Job, run: CopyRun) -> None:
    """Wait until the transactions that may still commit rows into the run's keys have ended.

    Raises WritersRemain when one stays open for longer than WRITERS_WAIT_SECONDS.
    """
    table = job.copy.source._meta.db_table

    def writers() -> dict[str, str]:
        return job.retrying(lambda: _writers(job, table), f"run {run.pk}, looking for writers")

    waited_for = writers()
    until = time.monotonic() + WRITERS_WAIT_SECONDS
    while remaining := {key: who for key, who in writers().items() if key in waited_for}:
        if time.monotonic() > until:
            text = _(
                "Transactions that write to %(table)s are still open after %(seconds).0f s: %(writers)s. "
                "End them, then run again."
            )
            facts = {"table": table, "seconds": WRITERS_WAIT_SECONDS, "writers": "; ".join(remaining.values())}
            raise WritersRemain(text % facts)
        if job.stop.wait(0.1):
            return


def _writers(job: Job, table: str) -> dict[str, str]:
    connection = connections[job.source]
    with connection.cursor() as cursor:
        return dialect_for(connection).open_writers(cursor, table)


def verify_rows(job: Job, run: CopyRun, *, sweep: bool) -> Differences:
    """Compare all rows of a run; with `sweep` bring missing ones over first. Stops between two ranges."""
    ranges = CopyRange.objects.using(job.using).filter(run=run).order_by("first_key")
    parts = job.retrying(lambda: list(ranges.all()), f"run {run.pk}, looking for its ranges")
    found = Differences()
    for of_part in share(job, parts, lambda: partial(_verify_range, job, run, job.statements(run), sweep=sweep)):
        found += of_part
    return found


def _verify_range(job: Job, run: CopyRun, statements: Statements, part: CopyRange, *, sweep: bool) -> Differences:
    found = Differences()
    for keys in chunks(statements, KeyRange(part.first_key, part.last_key)):
        if job.stop.requested():
            return found
        found += _verify_keys(job, run, statements, part, keys, sweep=sweep)
    job.progress.advance(part.copied)
    return found


def _verify_keys(
    job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange, *, sweep: bool
) -> Differences:
    what = f"run {run.pk}, comparing keys {keys.first} to {keys.last}"
    found = job.retrying(lambda: compare_all(run, statements, keys), what)
    if sweep and found.missing:
        _sweep_late(job, run, statements, part, keys)
        found = job.retrying(lambda: compare_all(run, statements, keys), what)
    return found


def compare_all(run: CopyRun, statements: Statements, keys: KeyRange) -> Differences:
    """Compare the rows with these keys; one that the database cannot even compute is missing unless it was rejected."""

    def comparing(part: KeyRange) -> Differences:
        with staged(statements), statements.dialect.comparing():
            return compare(run, statements, part)

    def alone(key: int) -> Differences:
        rejected = store.open_rejects(run, statements.using).filter(source_pk=key).exists()
        return Differences() if rejected else Differences(missing=1, samples={"missing": [key]})

    found = Differences()
    for part in bisected(statements, keys, comparing, alone):
        found += part
    return found


def _sweep_late(job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange) -> None:
    """Bring over the rows that were committed after their batch had passed."""

    def look() -> list[int]:
        with staged(statements):
            projected = statements.projected(keys.condition)
            return [key for (key,) in fetch(job.using, statements.missing_keys(projected, run.pk))]

    missing = iter(job.retrying(look, f"run {run.pk}, looking for late rows"))
    while late := tuple(islice(missing, MAX_KEYS_PER_STATEMENT)):
        logger.info("run %d: %d rows came late, from key %d", run.pk, len(late), late[0])
        job.retrying(
            lambda late=late: copy_missing(run, part, statements, late),  # type: ignore[misc]
            f"run {run.pk}, late rows from key {late[0]}",
        )
