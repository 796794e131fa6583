"""The end of a run: wait for late writers, compare every row, and bring over what came late."""

import logging
import time
from itertools import islice

from django.db import connections

from compat.copying.backends import backend_for
from compat.copying.batches import copy_missing
from compat.copying.errors import WritersRemain
from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rejects import CHUNK
from compat.copying.retrying import retrying
from compat.copying.selection import KeyRange, chunks, staged
from compat.copying.sql import fetch
from compat.copying.statements import Statements
from compat.copying.verification import Differences, compare

logger = logging.getLogger(__name__)

WRITERS_SECONDS = 60.0
"""How long open transactions are waited for."""


def wait_for_writers(job: Job, run: CopyRun) -> None:
    """Wait until the transactions that may still commit rows into the run's keys have ended.

    Raises WritersRemain when one stays open for longer than WRITERS_SECONDS.
    """
    table = job.copy.source._meta.db_table
    waited_for = _writers(job, table)
    until = time.monotonic() + WRITERS_SECONDS
    while remaining := {key: who for key, who in _writers(job, table).items() if key in waited_for}:
        if time.monotonic() > until:
            raise WritersRemain(
                f"Transactions that write to {table} are still open after {WRITERS_SECONDS:.0f} s: "
                f"{'; '.join(remaining.values())}. End them, then run again."
            )
        if job.stop.wait(0.1):
            return


def _writers(job: Job, table: str) -> dict[str, str]:
    connection = connections[job.source]
    with connection.cursor() as cursor:
        return backend_for(connection).open_writers(cursor, table)


def prove(job: Job, run: CopyRun, *, sweep: bool) -> Differences:
    """Compare all rows of a run; with `sweep` bring missing ones over first. Stops between two ranges."""
    statements = job.statements(run)
    found = Differences()
    for part in CopyRange.objects.using(job.using).filter(run=run).order_by("first_key"):
        for keys in chunks(statements, KeyRange(part.first_key, part.last_key)):
            if job.stop.requested():
                return found
            found += _prove_keys(job, run, statements, part, keys, sweep=sweep)
        job.progress.advance(part.copied)
    return found


def _prove_keys(
    job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange, *, sweep: bool
) -> Differences:
    def comparing() -> Differences:
        with staged(statements):
            return compare(run, statements, keys)

    what = f"run {run.pk}, comparing keys {keys.first} to {keys.last}"
    found = retrying(comparing, using=job.using, what=what, stop=job.stop)
    if sweep and found.missing:
        _sweep_late(job, run, statements, part, keys)
        found = retrying(comparing, using=job.using, what=what, stop=job.stop)
    return found


def _sweep_late(job: Job, run: CopyRun, statements: Statements, part: CopyRange, keys: KeyRange) -> None:
    """Bring over the rows that were committed after their batch had passed."""
    with staged(statements):
        mapped = statements.mapped(keys.condition)
        missing = iter([key for (key,) in fetch(job.using, statements.missing_keys(mapped, run.pk))])
    while late := tuple(islice(missing, CHUNK)):
        logger.info("run %d: %d rows came late, from key %d", run.pk, len(late), late[0])
        retrying(
            lambda late=late: copy_missing(run, part, statements, late),  # type: ignore[misc]
            using=job.using, what=f"run {run.pk}, late rows from key {late[0]}", stop=job.stop,
        )  # fmt: skip
