"""The store of runs: which run is open, where the next one starts, and what the runs did."""

import logging
from dataclasses import dataclass

from django.db import IntegrityError, connections, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from compat.copying.declaration import Copy
from compat.copying.dialects import dialect_for
from compat.copying.errors import Blocked, Overtaken
from compat.copying.key_types import KeyRange
from compat.copying.messages import Message
from compat.copying.models import CopyRange, CopyRun, RejectedRow
from compat.copying.runs import events, lease
from compat.copying.runs.lease_holder import describe_holder, holder_identity
from compat.copying.states import OPEN, RESUMABLE, State


@dataclass(frozen=True)
class Totals:
    """What the batches of a run did so far."""

    copied: int
    rejected: int
    batches: int


def runs_of(copy: Copy, using: str) -> QuerySet[CopyRun]:
    """Return the runs of a copy, newest first."""
    return CopyRun.objects.using(using).filter(copy=copy.name).order_by("-pk")


def kept_runs(copy: Copy, using: str, source: str) -> QuerySet[CopyRun]:
    """Return the runs of a copy from one source whose rows are in the target."""
    return runs_of(copy, using).filter(source=source).exclude(state=State.ROLLED_BACK)


def open_run(copy: Copy, using: str) -> CopyRun | None:
    """Return the run that is neither completed nor rolled back, if there is one."""
    return runs_of(copy, using).filter(state__in=OPEN).first()


def ranges_of(run: CopyRun, using: str) -> QuerySet[CopyRange]:
    """Return the key ranges of a run in key order."""
    return CopyRange.objects.using(using).filter(run=run).order_by("pk")


def totals(run: CopyRun, using: str) -> Totals:
    """Add up the ranges of a run."""
    sums = run.ranges.using(using).aggregate(copied=Sum("copied"), rejected=Sum("rejected"), batches=Sum("batches"))
    return Totals(**{name: value or 0 for name, value in sums.items()})


def open_rejects(run: CopyRun, using: str) -> QuerySet[RejectedRow]:
    """Return the rejected rows of a run that are not resolved."""
    return RejectedRow.objects.using(using).filter(run=run, resolved_at=None)


def covered(copy: Copy, using: str, source: str) -> list[KeyRange]:
    """Return the source keys of the runs whose rows are in the target."""
    return [copy.keys(run.offset).range_of(run) for run in kept_runs(copy, using, source)]


def next_range(copy: Copy, using: str, source: str) -> KeyRange | None:
    """Return the next range of source keys that no run has covered, or None when there is none."""
    return copy.keys().next_range(QuerySet(copy.source, using=source), covered(copy, using, source))


def begin(copy: Copy, using: str, source: str) -> CopyRun | None:
    """Return the run to work on, with its lease: the open one or a new one; None when there are no rows to copy.

    Raises Blocked when another process holds the lease of the open run, or when its rollback must be finished.
    """
    for _attempt in range(2):
        try:
            if run := open_run(copy, using):
                check_resumable(run, source)
                return lease.acquire(run, using, State.RUNNING)
            with transaction.atomic(using=using):
                run = _create(copy, using, source)
        except (IntegrityError, Overtaken):
            continue
        if run is not None:
            return lease.acquire(run, using, State.RUNNING)
        if not open_run(copy, using):
            return None
    raise Blocked(
        _("Another process has just started a run of %(copy)s. --status shows which one.") % {"copy": copy.name}
    )


def check_resumable(run: CopyRun, source: str) -> None:
    """Raise Blocked when a copy from `source` cannot continue this run."""
    if run.state not in RESUMABLE:
        raise Blocked(_("The rollback of run %(run)d is incomplete. Run --rollback to finish it.") % {"run": run.pk})
    if run.source != source:
        text = _("Run %(run)d, which copies from %(source)s, is not complete. Resume it with --source %(source)s.")
        raise Blocked(text % {"run": run.pk, "source": run.source})


def _create(copy: Copy, using: str, source: str) -> CopyRun | None:
    """Reserve the target keys of the next range and store a run for it."""
    keys = next_range(copy, using, source)
    if keys is None:
        return None
    connection, table = connections[using], copy.target._meta.db_table
    with connection.cursor() as cursor:
        strategy = copy.keys().reserve(dialect_for(connection), cursor, table, copy.target_key, keys)
    run = CopyRun(
        copy=copy.name, source=source, offset=strategy.offset, timestamp=timezone.now(), **strategy.to_columns(keys)
    )
    run.save(using=using, force_insert=True)
    CopyRange.objects.using(using).bulk_create(
        CopyRange(run=run, **(columns := strategy.to_columns(part)), done_key=columns["after_key"])
        for part in strategy.type.split(keys)
    )
    first, last = strategy.type.bounds(keys)
    facts = {"owner": describe_holder(holder_identity()), "first": first, "last": last, "offset": strategy.offset}
    events.record(run, using, logging.INFO, Message("started", **facts))
    return run
