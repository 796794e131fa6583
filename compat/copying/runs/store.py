"""Runs: which one is open, where the next begins, and what all of them did."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import IntegrityError, connections, transaction
from django.db.models import Max, Min, QuerySet, Sum
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.declaration import Copy
from compat.copying.dialects import dialect_for
from compat.copying.errors import Blocked, Overtaken
from compat.copying.models import CopyRange, CopyRun, RejectedRow
from compat.copying.rows.verification import MAX_SAMPLES, Differences
from compat.copying.runs import events, lease
from compat.copying.runs.lease_holder import describe_holder, holder_identity
from compat.copying.states import OPEN, RESUMABLE, State

MIN_RANGE_KEYS = 100_000
"""Keys of a range at least; fewer ranges than MAX_RANGES keep to it."""
MAX_RANGES = 64


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


def totals(run: CopyRun, using: str) -> Totals:
    """Add up the ranges of a run."""
    sums = run.ranges.using(using).aggregate(copied=Sum("copied"), rejected=Sum("rejected"), batches=Sum("batches"))
    return Totals(**{name: value or 0 for name, value in sums.items()})


def open_rejects(run: CopyRun, using: str) -> QuerySet[RejectedRow]:
    """Return the rejects of a run that wait for a person."""
    return RejectedRow.objects.using(using).filter(run=run, resolved_at=None)


def note_verification(run: CopyRun, using: str, found: Differences) -> None:
    """Remember what a verification found of a completed run, so that the next copy brings over what is missing."""
    completed = CopyRun.objects.using(using).filter(pk=run.pk, state=State.COMPLETED)
    completed.update(verified=not found, differences=found.counts())


def source_bounds(copy: Copy, using: str, source: str) -> tuple[int, int] | None:
    """Return the next range of source keys that no run has looked at, or None when there is none.

    A first run begins at 1 even when the smallest visible key is larger: rows below it may still be
    in transactions that have not committed. Later ones begin behind all others, or end before them.
    """
    seen = kept_runs(copy, using, source).aggregate(first=Min("first_key"), last=Max("last_key"))
    rows = copy.source._base_manager.using(source)
    if seen["last"] is None:
        bounds = rows.aggregate(first=Min("pk"), last=Max("pk"))
        return None if bounds["last"] is None else (min(1, bounds["first"]), bounds["last"])
    if (last := rows.filter(pk__gt=seen["last"]).aggregate(last=Max("pk"))["last"]) is not None:
        return seen["last"] + 1, last
    first = rows.filter(pk__lt=seen["first"]).aggregate(first=Min("pk"))["first"]
    return None if first is None else (first, seen["first"] - 1)


def unseen_rows(copy: Copy, using: str, source: str) -> Differences:
    """Return the source rows that no run has looked at, as missing ones."""
    seen = kept_runs(copy, using, source).aggregate(first=Min("first_key"), last=Max("last_key"))
    rows = copy.source._base_manager.using(source)
    if seen["last"] is not None:
        rows = rows.exclude(pk__range=(seen["first"], seen["last"]))
    samples = list(rows.order_by("pk").values_list("pk", flat=True)[:MAX_SAMPLES])
    return Differences(missing=rows.count(), samples={"missing": samples})


def begin(copy: Copy, using: str, source: str) -> CopyRun | None:
    """Return the run to work on, owned by this process: the open one or a new one; None without rows to copy.

    Raises Blocked when another process owns the open run, or when it must be rolled back to its end first.
    """
    for _attempt in range(2):
        try:
            if run := open_run(copy, using):
                return _resume(run, using, source)
            with transaction.atomic(using=using):
                run = _create(copy, using, source)
        except (IntegrityError, Overtaken):
            continue
        if run is not None:
            return lease.acquire(run, using, State.RUNNING)
        if not open_run(copy, using):
            return None
    raise Blocked(_("Another process has just begun a run of %(copy)s. See who with --status.") % {"copy": copy.name})


def open_run(copy: Copy, using: str) -> CopyRun | None:
    """Return the run that is not at its end, if there is one."""
    return runs_of(copy, using).filter(state__in=OPEN).first()


def _resume(run: CopyRun, using: str, source: str) -> CopyRun:
    check_resumable(run, source)
    return lease.acquire(run, using, State.RUNNING)


def check_resumable(run: CopyRun, source: str) -> None:
    """Raise Blocked when a copy from `source` cannot go on with this run."""
    if run.state not in RESUMABLE:
        raise Blocked(_("Run %(run)d is half rolled back. Finish that first: --rollback.") % {"run": run.pk})
    if run.source != source:
        text = _("Run %(run)d, which copies from %(source)s, is not complete. Resume it: --source %(source)s.")
        raise Blocked(text % {"run": run.pk, "source": run.source})


def _create(copy: Copy, using: str, source: str) -> CopyRun | None:
    bounds = source_bounds(copy, using, source)
    if bounds is None:
        return None
    first, last = bounds
    connection = connections[using]
    with connection.cursor() as cursor:
        table = copy.target._meta.db_table
        dialect = dialect_for(connection)
        offset = dialect.reserve_block(cursor, table, copy.target_key, first, last, keep=copy.keep_keys)
    run = CopyRun(
        copy=copy.name, source=source, first_key=first, last_key=last, offset=offset, timestamp=timezone.now()
    )
    run.save(using=using, force_insert=True)
    CopyRange.objects.using(using).bulk_create(
        CopyRange(run=run, first_key=low, last_key=high, next_key=low) for low, high in _split(first, last)
    )
    text = gettext_lazy("begun by {owner}: keys {first} to {last}, offset {offset}")
    facts = {"owner": describe_holder(holder_identity()), "first": first, "last": last, "offset": offset}
    events.record(run, using, logging.INFO, format_lazy(text, **facts))
    return run


def _split(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of equal width that cover the keys `first` to `last`."""
    width = max(MIN_RANGE_KEYS, -(-(last - first + 1) // MAX_RANGES))
    for low in range(first, last + 1, width):
        yield low, min(low + width - 1, last)
