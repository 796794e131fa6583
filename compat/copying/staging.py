"""Rows on their way from one database to another: read in the source, laid in a temporary table of the target.

There the same statements work on them as work on the source itself within one database. A value that the
target's type cannot hold is left out, and the column `flaw` says why.
"""

from django.db import connections

from compat.copying.backends import Backend, backend_for
from compat.copying.declaration import Copy
from compat.copying.sql import Sql, literal

TABLE = "compat_stage"
ROWS = 20_000
"""Rows that are on their way at once, at most: they pass through memory."""


def stage(copy: Copy, view: Sql, source: str, target: str) -> Sql:
    """Carry the rows that `view` selects in the database `source` over; return the query that selects them there."""
    reading, writing = connections[source], connections[target]
    backend = backend_for(writing)
    table = f"{backend.temporary_schema}.{TABLE}"
    key, quote = copy.target_key, writing.ops.quote_name
    shape = [f"{quote(key)} AS source_key", f"{quote(key)} AS {quote(f'to_{key}')}"]
    shape += [f"{quote(field.column)} AS {quote(f'to_{field.column}')}" for field, _ in copy.fields]
    with writing.cursor() as into, reading.cursor() as rows:
        into.execute(f"DROP TABLE IF EXISTS {table}")
        into.execute(
            f"CREATE TABLE {table} AS SELECT '' AS flaw, {', '.join(shape)} "  # noqa: S608 quoted names
            f"FROM {quote(copy.target._meta.db_table)} WHERE 1 = 0"
        )
        exported = _export(copy, view, backend_for(reading), backend)
        rows.execute(exported.text, exported.params)
        backend.load(into, table, 1 + len(shape), rows)
    return Sql(f"SELECT * FROM {table}")  # noqa: S608 our own name


def _export(copy: Copy, view: Sql, source: Backend, target: Backend) -> Sql:
    quote = source.connection.ops.quote_name
    values = [source.exported(None, name, target) for name in ("source_key", quote(f"to_{copy.target_key}"))]
    flaws = ["''"]
    for field, _ in copy.fields:
        value = quote(f"to_{field.column}")
        for condition, reason in source.export_promises(field, value, target):
            fits = f"({value} IS NULL OR {condition}) IS TRUE"
            flaws.append(f"CASE WHEN {fits} THEN '' ELSE {literal(f'{field.column} {reason}; ')} END")
            value = f"CASE WHEN {fits} THEN {value} END"
        values.append(source.exported(field, value, target))
    return Sql(f"SELECT {' || '.join(flaws)}, {', '.join(values)} FROM ({view.text}) mapped", view.params)  # noqa: S608 quoted names
