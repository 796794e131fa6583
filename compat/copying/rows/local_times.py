"""Local times that the clocks of a zone skipped or showed twice, and how many rows hold one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Func, TextField

from compat.copying.functions import AwareDateTime
from compat.copying.job import Job
from compat.copying.models import CopyRun

FIRST_YEAR = 1970
SKIPPED, AMBIGUOUS = "skipped", "ambiguous"


@dataclass(frozen=True)
class ClockChange:
    """The local times from `begin` up to `end`, which a zone skipped or showed twice."""

    kind: str
    begin: datetime
    end: datetime


@lru_cache
def clock_changes(zone: str, last_year: int) -> list[ClockChange]:
    """Return the clock changes of a zone from 1970 to the end of `last_year`."""
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
    """Return, to the second, when the offset changed between two instants, by bisection."""
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
    """Tell whether a date and time without a zone was skipped or shown twice by the clocks; NULL if neither."""

    output_field = TextField()

    def __init__(self, expression: Any, changes: list[ClockChange]) -> None:
        super().__init__(expression)
        self.changes = changes

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        """A timestamptz is never in doubt."""
        value, params = compiler.compile(self.source_expressions[0])
        naive = f"CASE WHEN pg_typeof({value}) <> 'timestamptz'::regtype THEN ({value})::timestamp END"
        return self._cases(naive, params * 2)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        """A text that names a zone is never in doubt."""
        value, params = compiler.compile(self.source_expressions[0])
        naive = f"CASE WHEN substr({value}, 20) NOT GLOB '*[-+Z]*' THEN replace({value}, 'T', ' ') END"
        return self._cases(naive, params * 2)

    def _cases(self, value: str, params: Any) -> tuple[str, tuple[Any, ...]]:
        when = " ".join("WHEN moment >= %s AND moment < %s THEN %s" for _ in self.changes)
        bounds = [part for c in self.changes for part in (str(c.begin), str(c.end), c.kind)]
        return f"(SELECT CASE {when} END FROM (SELECT {value} AS moment) local)", (*bounds, *params)  # noqa: S608 our own text


def doubtful_local_times(job: Job, run: CopyRun) -> dict[str, int]:
    """Count the rows of a run whose legacy timestamp was skipped or shown twice by the clocks of its zone."""
    counts = {SKIPPED: 0, AMBIGUOUS: 0}
    for value in job.copy.values.values():
        if isinstance(value, AwareDateTime) and (changes := clock_changes(value.zone_name, run.timestamp.year)):
            rows = job.copy.source._base_manager.using(job.source).filter(pk__range=(run.first_key, run.last_key))
            kinds = rows.order_by().annotate(kind=LocalTimeKind(value.source_expressions[0], changes)).values("kind")
            for found in kinds.annotate(rows=Count("pk")).exclude(kind=None):
                counts[found["kind"]] += found["rows"]
    return counts
