"""The neutral form in which values travel from one database to another.

A source's dialect renders every value to it, a target's dialect reads it; neither knows the other. A value is an int, a
float, a str, bytes or None, as both drivers have them:

    integer, boolean    int; a boolean is 0 or 1
    float               a float, or its shortest text that reads back to the same bits
    decimal             decimal text, or a number where the source has no exact decimals
    text                str of valid Unicode without the NUL character
    date                YYYY-MM-DD
    datetime            YYYY-MM-DD HH:MM:SS with up to six decimals, in UTC
    time                HH:MM:SS with up to six decimals
    duration            int, microseconds
    binary              bytes
    uuid                32 hexadecimal digits
    address             an IP address as text
    json                JSON text
    other               the text that the source's server writes

A date may also be `infinity` or `-infinity`, have a year of more than four digits, or end in ` BC`: the target's
dialect says which of these it can hold.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Field, IntegerField

from compat.copying.reasons import Reason


class Kind(StrEnum):
    """A kind of value with a neutral form of its own."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    BINARY = "binary"
    UUID = "uuid"
    ADDRESS = "address"
    JSON = "json"
    OTHER = "other"


KINDS = {
    "BooleanField": Kind.BOOLEAN,
    "FloatField": Kind.FLOAT,
    "DecimalField": Kind.DECIMAL,
    "CharField": Kind.TEXT,
    "TextField": Kind.TEXT,
    "SlugField": Kind.TEXT,
    "FileField": Kind.TEXT,
    "FilePathField": Kind.TEXT,
    "DateField": Kind.DATE,
    "DateTimeField": Kind.DATETIME,
    "TimeField": Kind.TIME,
    "DurationField": Kind.DURATION,
    "BinaryField": Kind.BINARY,
    "UUIDField": Kind.UUID,
    "GenericIPAddressField": Kind.ADDRESS,
    "JSONField": Kind.JSON,
}


def stored_field(field: "Field[Any, Any]") -> "Field[Any, Any]":
    """Return the field that holds the value of a field: the end of a chain of foreign keys."""
    while field.remote_field is not None and hasattr(field, "target_field"):
        field = field.target_field
    return field


def kind_of(field: "Field[Any, Any]") -> Kind:
    """Return the kind of a field's values."""
    stored = stored_field(field)
    if isinstance(stored, IntegerField):
        return Kind.INTEGER
    return KINDS.get(stored.get_internal_type(), Kind.OTHER)


def max_length(field: "Field[Any, Any]") -> int | None:
    """Return how many characters a column holds; None where it has no limit."""
    stored = stored_field(field)
    limited = kind_of(stored) is Kind.TEXT and stored.get_internal_type() != "TextField"
    return stored.max_length if limited else None


@dataclass(frozen=True)
class Check:
    """An SQL condition that a value must meet, and the reason for a row that does not meet it."""

    condition: str
    reason: Reason
    is_silent: bool = False
    """Whether the database would store another value instead of refusing the row."""


@dataclass(frozen=True)
class Conversion:
    """SQL that converts a value to the neutral form or from it, and what the value must meet."""

    sql: str
    checks: tuple[Check, ...] = ()
