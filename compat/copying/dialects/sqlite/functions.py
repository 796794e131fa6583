"""Functions of Python that copies call in the SQL of SQLite."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper

AWARE_DATETIME = "compat_aware_datetime"
IS_TEXT = "compat_is_text"


def register(connection: BaseDatabaseWrapper) -> None:
    """Give a new connection the functions."""
    connection.connection.create_function(AWARE_DATETIME, 2, in_utc, deterministic=True)
    connection.connection.create_function(IS_TEXT, 1, is_text, deterministic=True)


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


def local_offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Return the smaller of the UTC offsets that the local time `moment` can have in `zone`."""
    offsets = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return min(offset for offset in offsets if offset is not None)


def is_text(value: bytes | None) -> bool | None:
    """Tell whether every database can hold these bytes as text: valid UTF-8 without the NUL character."""
    if value is None:
        return None
    try:
        return "\x00" not in value.decode()
    except UnicodeDecodeError:
        return False
