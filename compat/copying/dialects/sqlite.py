"""SQLite."""

import math
from collections.abc import Iterator
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.models import Field
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.dialects.base import Dialect, Secondary, in_copy_format, too_long
from compat.copying.errors import Blocked
from compat.copying.functions import SQLITE_IS_TEXT

IS_DATE = "{0} >= '0001' AND date({0}, '+0 days') = {0}"
IS_DATETIME = (
    "{0} >= '0001' AND (datetime({0}, '+0 days') = {0} OR length({0}) = 26 "
    "AND substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]' "
    "AND datetime(substr({0}, 1, 19), '+0 days') = substr({0}, 1, 19))"
)
"""SQLite writes a date back in one form only, and with a modifier it computes it anew: 30 February changes."""
IS_NUMBER, NO_NUMBER = "typeof({0}) IN ('real', 'integer')", gettext_lazy("%(column)s is not a number")
FITS = {
    "integers": ("typeof({0}) = 'integer'", gettext_lazy("%(column)s is not an integer")),
    "real": (IS_NUMBER, NO_NUMBER),
    "decimal": (IS_NUMBER, NO_NUMBER),
    "bool": ("typeof({0}) = 'integer' AND {0} IN (0, 1)", gettext_lazy("%(column)s is neither true nor false")),
    "datetime": (IS_DATETIME, gettext_lazy("%(column)s is not a date and time")),
    "date": (IS_DATE, gettext_lazy("%(column)s is not a date")),
    "time": ("typeof({0}) = 'text' AND time({0}) IS NOT NULL", gettext_lazy("%(column)s is not a time")),
    "text": ("typeof({0}) = 'text'", gettext_lazy("%(column)s is not text")),
}
FORMS = {
    "DateTimeField": "{0} || '+00'",
    "BinaryField": r"CASE WHEN {0} IS NOT NULL THEN '\x' || hex({0}) END",
    "DurationField": "{0} || ' microseconds'",
}
"""How PostgreSQL reads what Django stores in SQLite in a form of its own."""


class SQLite(Dialect):
    """SQLite through one connection."""

    distinct = "IS NOT"
    silent = True
    supports_full_join = False
    temporary_schema = "temp"
    fence = " LIMIT -1"

    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Nothing: foreign keys are among the constraints, and the busy timeout stands in the settings."""

    def reserve_block(self, cursor: CursorWrapper, table: str, key: str, first: int, last: int, *, keep: bool) -> int:
        """Raise AUTOINCREMENT's counter; the transaction holds the only write lock."""
        quote = self.connection.ops.quote_name
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", (table,))
        found = cursor.fetchone()
        if found is None or "AUTOINCREMENT" not in found[0].upper():
            text = _("%(column)s does not count keys up (AUTOINCREMENT). Run verify_structure --fix first.")
            raise Blocked(text % {"column": f"{table}.{key}"})
        cursor.execute(f"SELECT max({quote(key)}) FROM {quote(table)}")  # noqa: S608 quoted names
        (highest,) = cursor.fetchone()
        cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", (table,))
        (used,) = cursor.fetchone()
        offset = 0 if keep or highest is None else max(highest, used or 0) + 1 - first
        if used is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", (table, max(0, last + offset)))
        elif last + offset > used:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", (last + offset, table))
        return offset

    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Indexes that are not unique; a foreign key is part of its table and stays."""
        cursor.execute(
            "SELECT m.name, m.sql FROM sqlite_master m JOIN pragma_index_list(%s) l ON l.name = m.name "
            'WHERE m.sql IS NOT NULL AND NOT l."unique" ORDER BY 1',
            (table,),
        )
        quote = self.connection.ops.quote_name
        return [Secondary(name, f"DROP INDEX {quote(name)}", create) for name, create in cursor.fetchall()]

    def references(self, cursor: CursorWrapper, table: str) -> list[tuple[str, str, str]]:
        """Read the foreign keys of all tables; one without a column refers to the primary key."""
        cursor.execute(
            'SELECT m.name, k."from", k."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k '
            'WHERE m.type = \'table\' AND lower(k."table") = lower(%s) AND k."to" IS NOT NULL',
            (table,),
        )
        quote = self.connection.ops.quote_name
        return [(quote(child), quote(column), quote(key)) for child, column, key in cursor.fetchall()]

    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """None: there is one writer at a time, and it has committed when the engine writes."""
        return {}

    def type_constraints(self, field: "Field[Any, Any]", value: str) -> Iterator[tuple[str, str]]:
        """Judge by the column type that Django gives the field."""
        column_type = (field.db_type(self.connection) or "").partition("(")[0]
        if column_type in {"integer", "bigint", "smallint", "integer unsigned", "bigint unsigned"}:
            column_type = "integers"
        if column_type in {"varchar", "char"}:
            column_type = "text"
            if field.max_length is not None:
                yield f"length({value}) <= {int(field.max_length)}", too_long(field)
        if column_type in FITS:
            condition, reason = FITS[column_type]
            yield condition.format(value), reason % {"column": field.column}

    def payload(self, column: str) -> str:
        """Read text as bytes, for it may be no valid UTF-8, and bytes as hexadecimal text."""
        text, binary = f"CAST({column} AS BLOB)", f"hex({column})"
        return f"CASE typeof({column}) WHEN 'text' THEN {text} WHEN 'blob' THEN {binary} ELSE {column} END"

    def plain(self, value: Any) -> Any:
        """Write what JSON lacks as text: infinity, the NUL character and what is no UTF-8."""
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, bytes):
            return value.decode(errors="replace").replace("\x00", "\\u0000")
        return value

    def export_constraints(self, field: "Field[Any, Any]", value: str, target: Dialect) -> Iterator[tuple[str, str]]:
        """Whatever the column says, the value may be of another type."""
        yield from self.type_constraints(field, value)
        if field.get_internal_type() in {"CharField", "TextField", "SlugField"}:
            reason = _("%(column)s holds the NUL character or is no valid UTF-8") % {"column": field.column}
            yield f"{SQLITE_IS_TEXT}(CAST({value} AS BLOB))", reason

    def exported(self, field: "Field[Any, Any]", value: str, target: Dialect) -> str:
        """Read the value as it is stored; the plus hides the column's type from Django's converters."""
        if target.connection.vendor != "postgresql":
            return f"+{value}"
        form = FORMS.get(field.get_internal_type(), "+{0}").format(value)
        return in_copy_format(field, form, "char")

    def load(self, cursor: CursorWrapper, table: str, columns: list[str], rows: CursorWrapper) -> int:
        """Insert the rows one by one, which SQLite does in one call."""
        names = ", ".join(map(self.connection.ops.quote_name, columns))
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows.fetchall())  # noqa: S608 quoted names
        return int(cursor.rowcount)
