"""Copied rows that lost their parent while a foreign key was aside: out of the target, and to the rejects.

The key is back by then, though not validated: from now on nobody makes another orphan.
"""

import logging
from functools import partial
from itertools import islice

from django.db import transaction

from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import begin_batch, checkpoint
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT, reject, unfit
from compat.copying.rows.selection import KeyRange, Keys, chunks
from compat.copying.rows.statements import Statements
from compat.copying.runs import store
from compat.database.sql import execute, fetch

logger = logging.getLogger(__name__)


def reject_orphans(job: Job, run: CopyRun) -> None:
    """Move the run's rows that break a constraint by now, unless somebody has changed them in the target."""
    statements, parts = job.statements(run), CopyRange.objects.using(job.using).filter(run=run).order_by("first_key")
    for part in job.retrying(lambda: list(parts.all()), f"run {run.pk}, looking for its ranges"):
        for keys in chunks(statements, KeyRange(part.first_key, part.last_key)):
            if job.stop.requested():
                return
            move = partial(_move, run, part, statements, keys)
            if moved := job.retrying(move, f"run {run.pk}, orphans from key {keys.first}"):
                logger.warning("run %d: %d copied rows lost their parent and were rejected", run.pk, moved)


def _move(run: CopyRun, part: CopyRange, statements: Statements, keys: KeyRange) -> int:
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        reasons = unfit(statements, statements.projected(keys.condition))
        waiting = set(store.open_rejects(run, using).values_list("source_pk", flat=True))
        left, moved = iter(reasons.keys() - waiting), 0
        while some := tuple(islice(left, MAX_KEYS_PER_STATEMENT)):
            moved += _move_some(run, part, statements, {key: reasons[key] for key in some})
        checkpoint(run, part, using, next_key=part.next_key, copied=-moved, rejected=moved)
    return moved


def _move_some(run: CopyRun, part: CopyRange, statements: Statements, reasons: dict[int, str]) -> int:
    """Delete the rows that nobody has changed, and keep those that are gone now as rejects."""
    projected = statements.projected(Keys(tuple(reasons)).condition)
    missing = statements.missing_keys(projected, run.pk)
    never_came = fetch(statements.using, missing)
    execute(statements.using, statements.delete_unchanged(projected, part.first_key, part.last_key))
    gone = {key: reasons[key] for (key,) in fetch(statements.using, missing) if (key,) not in never_came}
    reject(run, statements, gone)
    return len(gone)
