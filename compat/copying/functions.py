"""SQL functions for declarations, with the same meaning on every database."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Expression, Func
from django.db.models.sql.compiler import SQLCompiler

SQLITE_FUNCTION = "compat_aware_datetime"
SQLITE_IS_TEXT = "compat_is_text"


class RunTimestamp(Expression):
    """The instant at which the run began, the same for each of its rows."""

    output_field = DateTimeField()


class AwareDateTime(Func):
    """A date and time; where it names no zone, it is read in `zone`, by default settings.LEGACY_TIME_ZONE.

    A local time that the clocks skipped or showed twice is read with the smaller UTC offset, which is
    PostgreSQL's rule (DetermineTimeZoneOffset in its src/dialect/utils/adt/datetime.c).
    """

    arity = 1
    output_field = DateTimeField()

    def __init__(self, expression: Any, zone: str | None = None) -> None:
        super().__init__(expression)
        self.zone = zone

    @property
    def zone_name(self) -> str:
        """The zone in which times that name none are read."""
        return self.zone or str(getattr(settings, "LEGACY_TIME_ZONE", settings.TIME_ZONE))

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        """Leave a timestamptz alone and place a timestamp in the zone."""
        value, params = compiler.compile(self.source_expressions[0])
        sql = (
            f"CASE WHEN pg_typeof({value}) = 'timestamptz'::regtype THEN ({value})::timestamptz "
            f"ELSE ({value})::timestamp AT TIME ZONE %s END"
        )
        return sql, (*params, *params, *params, self.zone_name)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        """Take a text in final form as it is, cut an empty fraction, and leave the rest to `in_utc`."""
        value, params = compiler.compile(self.source_expressions[0])
        text = f"CASE typeof({value}) WHEN 'text' THEN CAST({value} AS BLOB) END"
        call = f"coalesce({SQLITE_FUNCTION}({text}, %s), {value})"
        if self.zone_name != "UTC":
            return call, (*params * 2, self.zone_name, *params)
        spaced = f"substr({value}, 11, 1) = ' '"
        sql = (
            f"CASE WHEN length({value}) = 19 AND {spaced} THEN {value} "
            f"WHEN length({value}) = 26 AND {spaced} AND substr({value}, 20) = '.000000' THEN substr({value}, 1, 19) "
            f"ELSE {call} END"
        )
        return sql, (*params * 9, self.zone_name, *params)


def register(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give a new SQLite connection the functions that copies call there."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(SQLITE_FUNCTION, 2, in_utc, deterministic=True)
        connection.connection.create_function(SQLITE_IS_TEXT, 1, is_text, deterministic=True)


def in_utc(value: bytes | None, zone: str) -> str | None:
    """Return a date and time in the text form that Django stores on SQLite; None when it is none."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value.decode())
        if moment.tzinfo is None:
            moment -= local_offset(moment, ZoneInfo(zone))
        else:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return str(moment.replace(tzinfo=None))


def is_text(value: bytes | None) -> bool | None:
    """Tell whether every database can hold these bytes as text: valid UTF-8 without the NUL character."""
    if value is None:
        return None
    try:
        return "\x00" not in value.decode()
    except UnicodeDecodeError:
        return False


def is_zone(name: str) -> bool:
    """Tell whether the zones of this machine have one with this name, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def local_offset(moment: datetime, zone: ZoneInfo) -> Any:
    """Return the smaller of the UTC offsets that the local time `moment` can have in `zone`."""
    return min(moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))  # type: ignore[type-var]
