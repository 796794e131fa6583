"""Deferred indexes: secondary indexes and foreign keys of the target, dropped during a copy and restored after it.

Their definitions are written to the run in the transaction that drops them, so that the next holder of the run can
restore them. The primary key and unique indexes stay: they keep a row from being copied twice.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import IntegrityError, ProgrammingError, connections, transaction
from django.db.models import QuerySet

from compat.copying.dialects import dialect_for
from compat.copying.errors import LeaseLost
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.database.text import one_line

logger = logging.getLogger(__name__)

AUTO, ALWAYS, NEVER = "auto", "always", "never"
MIN_KEYS_TO_DEFER = 20_000
"""Keys above which `auto` defers indexes: for fewer, building them again gains nothing."""


def prepare(job: Job, run: CopyRun) -> None:
    """Defer indexes as the job asks; restore those that an earlier holder deferred if this one must not."""
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
    keys = job.copy.keys(run.offset)
    large = keys.type.span(keys.range_of(run)) > MIN_KEYS_TO_DEFER
    return large and not QuerySet(job.copy.target, using=job.using).exists()


def defer(job: Job, run: CopyRun) -> None:
    """Drop the secondary indexes and foreign keys of the target, and store their definitions in the run."""
    table = job.copy.target._meta.db_table

    def drop() -> list[str]:
        connection = connections[job.using]
        with transaction.atomic(using=job.using), connection.cursor() as cursor:
            dialect = dialect_for(connection)
            dialect.session.begin_batch(cursor)
            found = dialect.introspection.secondary(cursor, table)
            references = [reference for reference, _ in job.statements(run).references]
            if dialect.foreign_keys.may_check(cursor, table, references):
                found = [structure for structure in found if not structure.after]
            deferred = run.deferred_indexes + [{"name": s.name, "create": s.create, "after": s.after} for s in found]
            _store(job, run, deferred)
            for structure in found:
                cursor.execute(structure.drop)
        run.deferred_indexes = deferred
        return [structure.name for structure in found]

    names = job.retrying(drop, f"run {run.pk}, deferring indexes")
    if names:
        logger.info("run %d: deferred indexes of %s: %s", run.pk, table, ", ".join(names))


def restore(job: Job, run: CopyRun) -> None:
    """Build the deferred indexes that are missing, and remove them from the run.

    A foreign key that rows violate is in force for new rows but not validated; it stays in the run, to be tried again.
    """
    table = job.copy.target._meta.db_table
    violated = []
    for structure in run.deferred_indexes:
        began = time.monotonic()
        try:
            build = partial(_build, job, table, structure)
            job.retrying(build, f"run {run.pk}, building {structure['name']}")
        except IntegrityError as error:
            violated.append(structure)
            logger.warning(
                "run %d: %s of %s is restored, but rows violate it: %s",
                run.pk,
                structure["name"],
                table,
                one_line(error),
            )
            continue
        logger.info(
            "run %d: %s of %s is restored after %.2f s", run.pk, structure["name"], table, time.monotonic() - began
        )
    if run.deferred_indexes != violated:
        _store(job, run, violated)
        run.deferred_indexes = violated


def _store(job: Job, run: CopyRun, deferred: list[dict[str, Any]]) -> None:
    """Store the definitions in the run. Raises LeaseLost when another process holds it now."""
    if not CopyRun.objects.using(job.using).filter(pk=run.pk, token=run.token).update(deferred_indexes=deferred):
        raise LeaseLost(run.pk)


@contextmanager
def restored_beside(job: Job, run: CopyRun) -> Iterator[None]:
    """Restore the deferred indexes on a connection of its own while the block runs; both are done at the end.

    Between two databases they are restored first, because verification writes to a staging table there.
    """
    if not run.deferred_indexes or job.is_cross_database:
        restore(job, run)
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="compat-builder") as pool:
        built = pool.submit(_restore_and_close, job, run)
        yield
        built.result()


def _restore_and_close(job: Job, run: CopyRun) -> None:
    try:
        restore(job, run)
    finally:
        connections[job.using].close()


def _build(job: Job, table: str, structure: dict[str, Any]) -> None:
    connection = connections[job.using]
    with transaction.atomic(using=job.using), connection.cursor() as cursor:
        dialect = dialect_for(connection)
        dialect.session.begin_build(cursor)
        if not dialect.introspection.exists(cursor, table, structure["name"]):
            cursor.execute(structure["create"])
    if structure["after"]:
        with connection.cursor() as cursor:
            cursor.execute(structure["after"])
