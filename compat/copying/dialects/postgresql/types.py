"""PostgreSQL's types."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Field

from compat.copying.dialects.base import Types
from compat.copying.dialects.neutral import Check, Conversion, Kind, kind_of, max_length, stored_field
from compat.copying.reasons import Reason

WRITE = {
    Kind.INTEGER: "{0}",
    Kind.BOOLEAN: "({0})::int",
    Kind.FLOAT: "({0})::float8::text",
    Kind.BINARY: "{0}",
    Kind.DATETIME: "(({0})::timestamptz AT TIME ZONE 'UTC')::text",
    Kind.DURATION: "(extract(epoch FROM {0}) * 1000000)::bigint",
    Kind.ADDRESS: "host({0})",
    Kind.UUID: "replace(({0})::text, '-', '')",
}
"""The neutral form of values; of all other kinds it is the text that the server writes."""
READ = {
    Kind.INTEGER: "{0}",
    Kind.BOOLEAN: "({0} <> 0)",
    Kind.FLOAT: "{0}",
    Kind.TEXT: "{0}",
    Kind.BINARY: "{0}",
    Kind.DECIMAL: "({0})::numeric",
    Kind.DATETIME: "(({0})::timestamp AT TIME ZONE 'UTC')",
    Kind.DURATION: "({0} / 86400000000 || ' days ' || {0} %% 86400000000 || ' microseconds')::interval",
}
"""Values from their neutral form; those of all other kinds are cast to the column type of the field."""
DURATION_IS_FIXED = "extract(month FROM {0}) = 0 AND extract(year FROM {0}) = 0"


class PostgreSQLTypes(Types):
    """Types that the server enforces."""

    are_enforced = True

    def checks(self, field: "Field[Any, Any]", value: str) -> Iterator[Check]:
        """Only what an assignment changes: decimals and trailing spaces. Any other misfit makes the statement fail."""
        if (length := max_length(field)) is not None:
            reason = Reason.of_column("too_long", field.column, length=length)
            yield Check(f"char_length({value}) <= {length}", reason, is_silent=True)
        if kind_of(field) is Kind.DECIMAL:
            places = int(stored_field(field).decimal_places)  # type: ignore[attr-defined]
            exact = f"round(({value})::numeric, {places}) = {value}"
            yield Check(exact, Reason.of_column("too_precise", field.column, places=places), is_silent=True)

    def to_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """Let the server write the text of most values."""
        kind = kind_of(field)
        form = WRITE.get(kind, "({0})::text").format(value)
        if kind is Kind.DURATION:
            check = Check(DURATION_IS_FIXED.format(value), Reason.of_column("not_a_duration", field.column))
            return Conversion(form, (check,))
        return Conversion(form)

    def from_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """Cast the text of most values; one that cannot be cast makes the statement fail."""
        kind = kind_of(field)
        if kind in READ:
            return Conversion(READ[kind].format(value))
        return Conversion(f"({value})::{stored_field(field).cast_db_type(self.connection)}")  # type: ignore[attr-defined]

    def payload(self, column: str) -> str:
        """Let the server write the value: drivers change infinity and fail on dates before Christ."""
        return f"to_jsonb({column})::text"

    def plain(self, value: Any) -> Any:
        """Parse the server's JSON."""
        return None if value is None else json.loads(value)
