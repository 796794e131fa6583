"""Rejecting copied rows that lost their parent while a foreign key was deferred.

By then the foreign key is restored, though not validated, so that no further orphan can be made.
"""

import logging
from functools import partial
from itertools import islice

from django.db import transaction

from compat.copying.job import Job
from compat.copying.key_types import KeyList, KeyRange
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import begin_batch, checkpoint
from compat.copying.rows.rejects import MAX_KEYS_PER_STATEMENT, Reasons, keys_of, open_rejects, reject, unfit
from compat.copying.rows.selection import chunks
from compat.copying.rows.statements import Statements
from compat.database.sql import execute

logger = logging.getLogger(__name__)


def reject_orphans(job: Job, run: CopyRun) -> None:
    """Reject the rows of a run that break a constraint now, unless they were changed in the target."""
    statements, parts = job.statements(run), CopyRange.objects.using(job.using).filter(run=run).order_by("pk")
    for part in job.retrying(lambda: list(parts.all()), f"run {run.pk}, looking for its ranges"):
        for keys in chunks(statements, statements.keys.range_of(part)):
            if job.stop.requested():
                return
            move = partial(_move, run, part, statements, keys)
            if moved := job.retrying(move, f"run {run.pk}, orphans with keys {keys}"):
                logger.warning("run %d: %d copied rows lost their parent and were rejected", run.pk, moved)


def _move(run: CopyRun, part: CopyRange, statements: Statements, keys: KeyRange) -> int:
    using = statements.using
    with transaction.atomic(using=using):
        begin_batch(run, part, statements)
        reasons = unfit(statements, statements.projected(keys))
        rejected = set(keys_of(statements, open_rejects(run, statements)))
        left, moved = iter(reasons.keys() - rejected), 0
        while some := tuple(islice(left, MAX_KEYS_PER_STATEMENT)):
            moved += _move_some(run, part, statements, {key: reasons[key] for key in some})
        checkpoint(run, part, using, {"copied": -moved, "rejected": moved})
    return moved


def _move_some(run: CopyRun, part: CopyRange, statements: Statements, reasons: Reasons) -> int:
    """Delete the rows that were not changed, and reject those that are gone now."""
    projected = statements.projected(KeyList(tuple(reasons)))
    missing = statements.missing_keys(projected, run.pk)
    not_copied = set(statements.fetch_keys(statements.using, missing))
    execute(statements.using, statements.delete_unchanged(projected, statements.keys.range_of(part)))
    gone = {key: reasons[key] for key in statements.fetch_keys(statements.using, missing) if key not in not_copied}
    reject(run, statements, gone)
    return len(gone)
