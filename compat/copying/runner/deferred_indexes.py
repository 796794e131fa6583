"""Secondary indexes and foreign keys of the target, set aside while rows pour in and built afterwards.

What is set aside is written to the run in the transaction that drops it, so that whoever comes next can
put it back. The primary key and unique indexes stay: they keep a row from arriving twice.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import IntegrityError, ProgrammingError, connections, transaction

from compat.copying.dialects import dialect_for
from compat.copying.errors import LeaseLost
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.database.text import one_line

logger = logging.getLogger(__name__)

AUTO, ALWAYS, NEVER = "auto", "always", "never"
LARGE = 20_000
"""Keys from which on `auto` sets indexes aside: below, building them anew gains nothing."""


def prepare(job: Job, run: CopyRun) -> None:
    """Set aside what the job wants set aside; put back what an earlier owner left aside and this one does not want."""
    if job.defer_indexes == NEVER:
        restore(job, run)
    elif job.defer_indexes == ALWAYS:
        defer(job, run)
    elif _large_into_empty(job, run):
        try:
            defer(job, run)
        except ProgrammingError as error:
            logger.warning("run %d: indexes stay in place while copying: %s", run.pk, one_line(error))


def _large_into_empty(job: Job, run: CopyRun) -> bool:
    large = run.last_key - run.first_key >= LARGE
    return large and not job.copy.target._base_manager.using(job.using).exists()


def defer(job: Job, run: CopyRun) -> None:
    """Drop the target's secondary indexes and foreign keys, and remember their definitions in the run."""
    table = job.copy.target._meta.db_table

    def drop() -> list[str]:
        connection = connections[job.using]
        with transaction.atomic(using=job.using), connection.cursor() as cursor:
            dialect = dialect_for(connection)
            dialect.begin_batch(cursor)
            found = dialect.secondary(cursor, table)
            if dialect.may_check_keys(cursor, table, job.statements(run).references):
                found = [structure for structure in found if not structure.after]
            aside = run.deferred_indexes + [{"name": s.name, "create": s.create, "after": s.after} for s in found]
            _remember(job, run, aside)
            for structure in found:
                cursor.execute(structure.drop)
        run.deferred_indexes = aside
        return [structure.name for structure in found]

    names = job.retrying(drop, f"run {run.pk}, setting indexes aside")
    if names:
        logger.info("run %d: set aside of %s: %s", run.pk, table, ", ".join(names))


def restore(job: Job, run: CopyRun) -> None:
    """Build again what the run set aside and is not there, and forget it.

    A foreign key that rows break is there again and holds for new rows; it stays on the list, to be tried anew.
    """
    table = job.copy.target._meta.db_table
    broken = []
    for structure in run.deferred_indexes:
        began = time.monotonic()
        try:
            build = partial(_build, job, table, structure)
            job.retrying(build, f"run {run.pk}, building {structure['name']}")
        except IntegrityError as error:
            broken.append(structure)
            logger.warning(
                "run %d: %s of %s is back, but rows break it: %s", run.pk, structure["name"], table, one_line(error)
            )
            continue
        logger.info("run %d: %s of %s is back after %.2f s", run.pk, structure["name"], table, time.monotonic() - began)
    if run.deferred_indexes != broken:
        _remember(job, run, broken)
        run.deferred_indexes = broken


def _remember(job: Job, run: CopyRun, aside: list[dict[str, Any]]) -> None:
    """Write down what is aside. Raises LeaseLost when the run has another owner by now."""
    if not CopyRun.objects.using(job.using).filter(pk=run.pk, token=run.token).update(deferred_indexes=aside):
        raise LeaseLost(run.pk)


@contextmanager
def restored_beside(job: Job, run: CopyRun) -> Iterator[None]:
    """Put back what the run set aside, on a connection of its own beside the block; both are done at the end.

    Between two databases it comes first, for the proof writes there to a temporary table.
    """
    if not run.deferred_indexes or job.is_cross_database:
        restore(job, run)
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="compat-builder") as pool:
        built = pool.submit(_put_back_and_close, job, run)
        yield
        built.result()


def _put_back_and_close(job: Job, run: CopyRun) -> None:
    try:
        restore(job, run)
    finally:
        connections[job.using].close()


def _build(job: Job, table: str, structure: dict[str, Any]) -> None:
    connection = connections[job.using]
    with transaction.atomic(using=job.using), connection.cursor() as cursor:
        dialect_for(connection).begin_build(cursor)
        if structure["name"] not in connection.introspection.get_constraints(cursor, table):
            cursor.execute(structure["create"])
    if structure["after"]:
        with connection.cursor() as cursor:
            cursor.execute(structure["after"])
