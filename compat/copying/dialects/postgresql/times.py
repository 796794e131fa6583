"""Local times on PostgreSQL."""

from compat.copying.dialects.base import Times
from compat.database.sql import Sql


class PostgreSQLTimes(Times):
    """The server knows the time zones; a timestamptz is an instant already."""

    def aware(self, value: Sql, zone: str) -> Sql:
        """Leave a timestamptz alone and put a timestamp into the zone."""
        text = (
            f"CASE WHEN pg_typeof({value.text}) = 'timestamptz'::regtype THEN ({value.text})::timestamptz "
            f"ELSE ({value.text})::timestamp AT TIME ZONE %s END"
        )
        return Sql(text, (*value.params * 3, zone))

    def local(self, value: Sql) -> Sql:
        """Everything but a timestamptz is local."""
        text = f"CASE WHEN pg_typeof({value.text}) <> 'timestamptz'::regtype THEN ({value.text})::timestamp END"
        return Sql(text, value.params * 2)
