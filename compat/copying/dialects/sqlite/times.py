"""Local times on SQLite, where dates are text."""

from compat.copying.dialects.base import Times
from compat.copying.dialects.sqlite.functions import AWARE_DATETIME
from compat.database.sql import Sql


class SQLiteTimes(Times):
    """SQLite knows no time zones, so that Python computes what is not in final form already."""

    def aware(self, value: Sql, zone: str) -> Sql:
        """Take a text in final form as it is, cut an empty fraction, and leave the rest to Python."""
        text = value.text
        bytes_of_text = f"CASE typeof({text}) WHEN 'text' THEN CAST({text} AS BLOB) END"
        call = f"coalesce({AWARE_DATETIME}({bytes_of_text}, %s), {text})"
        params = (*value.params * 2, zone, *value.params)
        if zone != "UTC":
            return Sql(call, params)
        has_space = f"substr({text}, 11, 1) = ' '"
        in_final_form = (
            f"CASE WHEN length({text}) = 19 AND {has_space} THEN {text} "
            f"WHEN length({text}) = 26 AND {has_space} AND substr({text}, 20) = '.000000' THEN substr({text}, 1, 19) "
        )
        return Sql(f"{in_final_form}ELSE {call} END", (*value.params * 7, *params))

    def local(self, value: Sql) -> Sql:
        """A text is local unless it ends with a zone."""
        text = f"CASE WHEN substr({value.text}, 20) NOT GLOB '*[-+Z]*' THEN replace({value.text}, 'T', ' ') END"
        return Sql(text, value.params * 2)
