"""Types on PostgreSQL: which holds which, and what a conversion would lose."""

import re

from django.utils.translation import ngettext_lazy

from compat.structure.dialects.base import Types
from compat.structure.dialects.postgresql.conversions import changed_values
from compat.structure.names import quote_columns, quote_key
from compat.structure.schema import Column, Table, TypeDifference
from compat.structure.steps import DataCheck, values_lost

INTEGERS = ("smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "numeric", "double precision", "real")
SIZED = re.compile(r"^(character varying|character|numeric|bit varying)(?:\((\d+)(?:,(\d+))?\))?$")
DEPENDENT_VIEWS = """
SELECT DISTINCT w.ev_class::regclass::text FROM pg_rewrite w JOIN pg_depend d ON d.objid = w.oid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = {table}::regclass AND a.attname = {column}
"""


class PostgreSQLTypes(Types):
    """Types by the names that format_type gives them."""

    def difference(self, expected: str, actual: str) -> TypeDifference | None:
        return TypeDifference.WIDER if holds(actual, expected) else TypeDifference.INCOMPATIBLE

    def clash(self, expected: str, actual: str) -> bool:
        return _family(expected) != _family(actual)

    def values_lost(self, table: Table, expected: Column, actual: Column) -> DataCheck | None:
        """Return the check for values that would come back changed if they were converted and converted back."""
        if is_metadata_only(actual.type, expected.type):
            return None
        name, source = quote_columns(self.connection, expected.name), quote_key(self.connection, table.name)
        changed = changed_values(name, actual.type, expected.type, self.connection.timezone_name)
        keys = quote_columns(self.connection, *table.primary_key()) or name
        query = f"SELECT {keys}, {name} FROM {source} WHERE {changed}"  # noqa: S608  quoted names, types of the server
        return values_lost(query, expected)

    def dependents(self, table: Table, column: Column) -> DataCheck | None:
        """Return the check for views that show the column: the server refuses to change its type under them."""
        compose = self.connection.ops.compose_sql  # type: ignore[attr-defined]
        names = compose("%s", [quote_key(self.connection, table.name)]), compose("%s", [column.name])
        query = " ".join(DEPENDENT_VIEWS.split()).format(table=names[0], column=names[1])
        text = ngettext_lazy(
            "%(count)d view or rule shows the column %(column)s; drop it, run verify_structure --fix --rewrite, "
            "and create it again",
            "%(count)d views or rules show the column %(column)s; drop them, run verify_structure --fix --rewrite, "
            "and create them again",
            "count",
        )
        return DataCheck(query, text, {"column": column.name})


def holds(wider: str, narrower: str) -> bool:
    """Whether the type `wider` takes every value of `narrower` and gives it back unchanged."""
    if wider in INTEGERS and narrower in INTEGERS:
        return INTEGERS.index(wider) > INTEGERS.index(narrower)
    if wider == "text" and re.match(r"character varying(\(\d+\))?$", narrower):
        return True
    one, other = SIZED.match(wider), SIZED.match(narrower)
    if not one or not other or one[1] != other[1]:
        return False
    if one[2] is None:
        return True
    return other[2] is not None and int(one[2]) >= int(other[2]) and one[3] == other[3]


def is_metadata_only(old: str, new: str) -> bool:
    """Whether PostgreSQL changes the type without reading the rows: longer text, more digits."""
    return holds(new, old) and (new == "text" or bool(SIZED.match(new))) and not new.startswith("character(")


def _family(type_: str) -> str:
    word = re.sub(r"\(.*\)", "", type_)
    return "number" if word in NUMBERS else "character varying" if word == "text" else word
