"""SQLite's types: a column stores values of any type, so that each value is asked what it is."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Field

from compat.copying.dialects.base import Types
from compat.copying.dialects.neutral import Check, Conversion, Kind, kind_of, max_length
from compat.copying.dialects.sqlite.functions import IS_TEXT as IS_TEXT_FUNCTION
from compat.copying.reasons import Reason

IS_DATE = "{0} >= '0001' AND date({0}, '+0 days') = {0}"
IS_DATETIME = (
    "{0} >= '0001' AND (datetime({0}, '+0 days') = {0} OR length({0}) = 26 "
    "AND substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]' "
    "AND datetime(substr({0}, 1, 19), '+0 days') = substr({0}, 1, 19))"
)
"""SQLite writes a date back in one form only, and with a modifier it computes it again: 30 February changes."""
IS_NUMBER, IS_TEXT = "typeof({0}) IN ('real', 'integer')", "typeof({0}) = 'text'"
FITS = {
    Kind.INTEGER: ("typeof({0}) = 'integer'", "not_an_integer"),
    Kind.DURATION: ("typeof({0}) = 'integer'", "not_an_integer"),
    Kind.BOOLEAN: ("typeof({0}) = 'integer' AND {0} IN (0, 1)", "not_a_boolean"),
    Kind.FLOAT: (IS_NUMBER, "not_a_number"),
    Kind.DECIMAL: (IS_NUMBER, "not_a_number"),
    Kind.DATETIME: (IS_DATETIME, "not_a_datetime"),
    Kind.DATE: (IS_DATE, "not_a_date"),
    Kind.TIME: ("typeof({0}) = 'text' AND time({0}) IS NOT NULL", "not_a_time"),
    Kind.TEXT: (IS_TEXT, "not_text"),
    Kind.ADDRESS: (IS_TEXT, "not_text"),
    Kind.JSON: (IS_TEXT, "not_text"),
    Kind.UUID: ("typeof({0}) = 'text' AND length({0}) = 32", "not_a_uuid"),
}
"""What a value of a kind is in SQLite, as Django stores it, and the code of a value that is something else."""
WRITE = {
    Kind.UUID: ("typeof({0}) = 'text' AND length(replace({0}, '-', '')) = 32", "replace({0}, '-', '')"),
    Kind.BINARY: ("typeof({0}) = 'blob'", "{0}"),
}
"""Where the neutral form is another: the check of the source's value and the form."""
IS_IN_YEARS = "{0} GLOB '[0-9][0-9][0-9][0-9]-*' AND substr({0}, -2) <> 'BC'"
LIMITS = {
    Kind.DATE: (IS_IN_YEARS, "out_of_years"),
    Kind.DATETIME: (IS_IN_YEARS, "out_of_years"),
    Kind.FLOAT: ("typeof({0}) <> 'text'", "nan"),
}
"""What SQLite can hold of the neutral values of a kind."""
SIX_DECIMALS = "CASE WHEN substr({0}, {1}, 1) = '.' THEN substr({0} || '00000', 1, {2}) ELSE {0} END"
READ = {
    Kind.DATETIME: SIX_DECIMALS.format("{0}", 20, 26),
    Kind.TIME: SIX_DECIMALS.format("{0}", 9, 15),
    Kind.DECIMAL: "CAST({0} AS NUMERIC)",
}
"""Values from their neutral form, where Django stores another."""


class SQLiteTypes(Types):
    """Types that only the engine enforces."""

    are_enforced = False

    def checks(self, field: "Field[Any, Any]", value: str) -> Iterator[Check]:
        """Judge by the kind of value that Django stores for the field."""
        if (length := max_length(field)) is not None:
            yield Check(f"length({value}) <= {length}", Reason.of_column("too_long", field.column, length=length))
        if (kind := kind_of(field)) in FITS:
            condition, code = FITS[kind]
            yield Check(condition.format(value), Reason.of_column(code, field.column))

    def to_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """Read the value as it is stored; the plus hides the column's type from Django's converters."""
        kind = kind_of(field)
        if kind in WRITE:
            condition, form = WRITE[kind]
            code = FITS[kind][1] if kind in FITS else "not_binary"
            check = Check(condition.format(value), Reason.of_column(code, field.column))
            return Conversion(f"+{form.format(value)}", (check,))
        checks = [check for check in self.checks(field, value) if check.reason.code != "too_long"]
        if kind in {Kind.TEXT, Kind.JSON}:
            valid = f"{IS_TEXT_FUNCTION}(CAST({value} AS BLOB))"
            checks.append(Check(valid, Reason.of_column("not_unicode", field.column)))
        return Conversion(f"+{value}", tuple(checks))

    def from_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """SQLite's dates have four digits for the year, and its NaN is NULL."""
        kind = kind_of(field)
        conversion = Conversion(READ.get(kind, "{0}").format(value))
        if kind in LIMITS:
            condition, code = LIMITS[kind]
            check = Check(condition.format(value), Reason.of_column(code, field.column))
            return replace(conversion, checks=(check,))
        return conversion

    def payload(self, column: str) -> str:
        """Read text as bytes, because it may be no valid UTF-8, and bytes as hexadecimal text."""
        text, binary = f"CAST({column} AS BLOB)", f"hex({column})"
        return f"CASE typeof({column}) WHEN 'text' THEN {text} WHEN 'blob' THEN {binary} ELSE {column} END"

    def plain(self, value: Any) -> Any:
        """Write as text what JSON lacks: infinity, the NUL character and what is no UTF-8."""
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, bytes):
            return value.decode(errors="replace").replace("\x00", "\\u0000")
        return value
