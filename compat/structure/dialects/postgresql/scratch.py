"""Create the expected tables in the session's temporary schema, and roll them back after the look."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.database.text import first_line
from compat.structure.build import Creation, Target, creations, outside_targets
from compat.structure.errors import Unverifiable
from compat.structure.project import ModelTable

Query = Callable[..., list[tuple[Any, ...]]]
LOCKS_PER_TABLE = 25  # a table with its indexes, sequence and TOAST table; 21 were seen
PRIVILEGES = """
SELECT has_database_privilege(current_database(), 'TEMP'), pg_is_in_recovery(),
       current_setting('transaction_read_only')::bool, current_user,
       current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int,
       current_database()
"""
TEMPORARY_SCHEMA_FIRST = """
SELECT set_config('search_path', concat_ws(', ', 'pg_temp', nullif(current_setting('search_path'), '')), true)
"""


def batches(
    connection: BaseDatabaseWrapper, query: Query, tables: Sequence[ModelTable]
) -> Iterator[tuple[Sequence[ModelTable], Mapping[str, Creation]]]:
    """Yield tables that may exist at once, with their statements. Raises Unverifiable."""
    size = batch_size(query)
    built = creations(connection, tables)
    for start in range(0, len(tables), size):
        batch = tables[start : start + size]
        yield batch, {table.table: built[table.table] for table in batch}


def batch_size(query: Query) -> int:
    """Return how many scratch tables may exist at once: half of the server's lock table. Raises Unverifiable."""
    may_create, standby, read_only, role, locks, database = query(PRIVILEGES)[0]
    if standby:
        text = _("This server is a standby, where no table can be created for comparison. Verify the primary.")
        raise Unverifiable(text)
    if read_only:
        raise Unverifiable(_("The connection is read-only, so no table can be created for comparison."))
    if not may_create:
        text = _("The role %(role)s may not create temporary tables, which the comparison needs: %(sql)s.")
        raise Unverifiable(text % {"role": role, "sql": f"GRANT TEMPORARY ON DATABASE {database} TO {role}"})
    return max(1, int(locks) // 2 // LOCKS_PER_TABLE)


@contextmanager
def created(
    connection: BaseDatabaseWrapper, tables: Sequence[ModelTable], built: Mapping[str, Creation]
) -> Iterator[Mapping[str, str]]:
    """Create the tables for the block; give the reason of each that failed."""
    stubs = outside_targets(connection, tables)
    with _scratch(connection):
        yield _create(connection, tuple(built.values()), stubs)


@contextmanager
def _scratch(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Put the temporary schema first on the search path, and roll back at the end."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute(TEMPORARY_SCHEMA_FIRST)
        yield
        transaction.set_rollback(rollback=True, using=connection.alias)


def _create(connection: BaseDatabaseWrapper, built: Sequence[Creation], stubs: Iterable[Target]) -> Mapping[str, str]:
    """Create the tables in one round trip; if that fails, one by one, and return the reasons by table."""
    stubs = tuple(stubs)
    first = "\n".join(_stubs(stubs))
    qualified = {name for name in (*(item.table for item in built), *(stub.table for stub in stubs)) if "." in name}
    statements = [(item.table, _local(qualified, item.create)) for item in built]
    statements += [(item.table, _local(qualified, item.later)) for item in built]
    try:
        _execute(connection, "\n".join([first, *(sql for _, sql in statements)]))
    except DatabaseError:
        failed: dict[str, str] = {}
        for table, sql in [("", first), *statements]:
            try:
                _execute(connection, sql)
            except DatabaseError as error:
                failed.setdefault(table, first_line(error))
        return failed
    return {}


def _execute(connection: BaseDatabaseWrapper, sql: str) -> None:
    if sql.strip():
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            cursor.execute(sql)


def _local(qualified: Iterable[str], statements: Iterable[str]) -> str:
    """Return the statements with schema-qualified tables turned into scratch tables of the same key."""
    sql = "\n".join(statements)
    for table in qualified:
        schema, _, name = table.rpartition(".")
        sql = sql.replace(f'"{schema}"."{name}"', f'"{table}"')
    return sql


def _stubs(targets: Iterable[Target]) -> Iterator[str]:
    """Yield the statements for tables with only the columns that foreign keys refer to."""
    tables: dict[str, set[str]] = {}
    for target in targets:
        tables.setdefault(target.table, set()).add(f'"{target.column}" {target.type} UNIQUE')
    for table, columns in sorted(tables.items()):
        yield f'CREATE TABLE "{table}" ({", ".join(sorted(columns))});'
