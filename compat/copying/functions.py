"""Expressions for declarations, with the same meaning on every database."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Expression, Func
from django.db.models.sql.compiler import SQLCompiler

from compat.copying.dialects import dialect_for
from compat.database.sql import Sql


class RunTimestamp(Expression):
    """The instant at which the run began, the same for each of its rows."""

    output_field = DateTimeField()


class AwareDateTime(Func):
    """A date and time; where it names no time zone, it is read in `zone`, by default settings.LEGACY_TIME_ZONE.

    A local time in a gap or a fold of the zone is read with the smaller UTC offset.
    """

    arity = 1
    output_field = DateTimeField()

    def __init__(self, expression: Any, zone: str | None = None) -> None:
        super().__init__(expression)
        self.zone = zone

    @property
    def zone_name(self) -> str:
        """The time zone of local times."""
        return self.zone or str(getattr(settings, "LEGACY_TIME_ZONE", settings.TIME_ZONE))

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any) -> Any:
        """Let the dialect of the database read the value."""
        text, params = compiler.compile(self.source_expressions[0])
        read = dialect_for(connection).times.aware(Sql(text, tuple(params)), self.zone_name)
        return read.text, read.params


def is_zone(name: str) -> bool:
    """Tell whether this machine knows a time zone with this name, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
