"""Local times in the gaps and folds of a time zone (PEP 495), and how many rows hold one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Func, QuerySet, TextField

from compat.copying.dialects import dialect_for
from compat.copying.functions import AwareDateTime
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.database.sql import Sql

FIRST_YEAR = 1970
SKIPPED, AMBIGUOUS = "skipped", "ambiguous"


@dataclass(frozen=True)
class ClockChange:
    """The local times from `begin` up to `end`: a gap (`skipped`) or a fold (`ambiguous`) of a time zone."""

    kind: str
    begin: datetime
    end: datetime


@lru_cache
def clock_changes(zone: str, last_year: int) -> list[ClockChange]:
    """Return the clock changes of a time zone from 1970 to the end of `last_year`."""
    return list(
        _changes(ZoneInfo(zone), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC))
    )


def _changes(zone: ZoneInfo, day: datetime, end: datetime) -> Iterator[ClockChange]:
    while day < end:
        following = day + timedelta(days=1)
        before, after = _offset(zone, day), _offset(zone, following)
        if before != after:
            moment = _moment(zone, day, following)
            kind = SKIPPED if after > before else AMBIGUOUS
            local = sorted((moment.replace(tzinfo=None) + before, moment.replace(tzinfo=None) + after))
            yield ClockChange(kind, *local)
        day = following


def _moment(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return when the offset changed between two instants, to the second, by bisection."""
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


class LocalTimeKind(Func):
    """Tell whether a date and time without a zone is in a gap or a fold of its zone; NULL if neither."""

    output_field = TextField()

    def __init__(self, expression: Any, changes: list[ClockChange]) -> None:
        super().__init__(expression)
        self.changes = changes

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, *_: Any, **__: Any) -> Any:
        """Compare the local time with all changes."""
        text, params = compiler.compile(self.source_expressions[0])
        local = dialect_for(connection).times.local(Sql(text, tuple(params)))
        when = " ".join("WHEN moment >= %s AND moment < %s THEN %s" for _ in self.changes)
        bounds = [part for c in self.changes for part in (str(c.begin), str(c.end), c.kind)]
        return f"(SELECT CASE {when} END FROM (SELECT {local.text} AS moment) local)", (*bounds, *local.params)  # noqa: S608 our own text


def doubtful_local_times(job: Job, run: CopyRun) -> dict[str, int]:
    """Count the rows of a run with a local time in a gap or a fold of its time zone."""
    counts = {SKIPPED: 0, AMBIGUOUS: 0}
    for value in job.copy.values.values():
        if isinstance(value, AwareDateTime) and (changes := clock_changes(value.zone_name, run.timestamp.year)):
            rows = job.copy.keys(run.offset).range_of(run).filter(QuerySet(job.copy.source, using=job.source))
            kinds = rows.order_by().annotate(kind=LocalTimeKind(value.source_expressions[0], changes)).values("kind")
            for found in kinds.annotate(rows=Count("pk")).exclude(kind=None):
                counts[found["kind"]] += found["rows"]
    return counts
