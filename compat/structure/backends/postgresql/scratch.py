"""Create the expected tables in the session's temporary schema, look at them, and take them back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.structure import cache
from compat.structure.backends.postgresql.catalog import Query, read
from compat.structure.build import Creation, Target, creations, outside_targets
from compat.structure.errors import Unverifiable
from compat.structure.expected import Owner
from compat.structure.snapshot import Table

LOCKS_PER_TABLE = 25  # a table with its indexes, sequence and TOAST table; 21 were seen
RIGHTS = """
SELECT has_database_privilege(current_database(), 'TEMP'), pg_is_in_recovery(),
       current_setting('transaction_read_only')::bool, current_user,
       current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int,
       current_database()
"""
FIRST = """
SELECT set_config('search_path', concat_ws(', ', 'pg_temp', nullif(current_setting('search_path'), '')), true)
"""
# What the normal form of types, defaults and expressions depends on, apart from the statements.
SERVER = """
SELECT version(), current_database(), current_user, current_setting('search_path'), current_setting('TimeZone'),
       current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('extra_float_digits'),
       current_setting('quote_all_identifiers'), current_setting('lc_monetary'), current_setting('server_encoding'),
       (SELECT string_agg(extname || ' ' || extversion, ',' ORDER BY extname) FROM pg_extension),
       (SELECT string_agg(oid || ':' || xmin, ',' ORDER BY oid) FROM pg_type
        WHERE oid >= 16384 AND typrelid = 0 AND typcategory <> 'A'),
       (SELECT string_agg(oid || ':' || xmin, ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
       (SELECT string_agg(oid || ':' || xmin, ',' ORDER BY oid) FROM pg_collation WHERE oid >= 16384),
       (SELECT string_agg(oid || ':' || xmin, ',' ORDER BY oid) FROM pg_opclass WHERE oid >= 16384),
       (SELECT string_agg(oid || ':' || xmin, ',' ORDER BY oid) FROM pg_ts_config WHERE oid >= 16384)
"""


def expected(connection: BaseDatabaseWrapper, query: Query, owners: Iterable[Owner]) -> Mapping[str, Table]:
    """Return what the owners' tables look like when Django creates them on this server. Raises Unverifiable."""
    owners = tuple(owners)
    size = batch_size(query)
    built = creations(connection, owners)
    name = cache.key(query(SERVER), [vars(item) for item in built.values()])
    found = dict(cache.load(name) or {})
    if not found.keys() >= built.keys():
        for start in range(0, len(owners), size):
            found |= _batch(connection, query, owners[start : start + size], built)
        cache.save(name, found)
    return {owner.table: found[owner.table] for owner in owners}


def batch_size(query: Query) -> int:
    """Return how many scratch tables may exist at once: half of the server's lock table. Raises Unverifiable."""
    may, standby, read_only, role, locks, database = query(RIGHTS)[0]
    if standby:
        text = _("This server is a standby, where no table can be created for comparison: ask the primary.")
        raise Unverifiable(text)
    if read_only:
        raise Unverifiable(_("The connection is read-only, so no table can be created for comparison."))
    if not may:
        text = _("The role %(role)s may not create temporary tables, which the comparison needs: %(sql)s.")
        raise Unverifiable(text % {"role": role, "sql": f"GRANT TEMPORARY ON DATABASE {database} TO {role}"})
    return max(1, int(locks) // 2 // LOCKS_PER_TABLE)


def _batch(
    connection: BaseDatabaseWrapper, query: Query, owners: Sequence[Owner], all_built: Mapping[str, Creation]
) -> dict[str, Table]:
    built = {owner.table: all_built[owner.table] for owner in owners}
    stubs = outside_targets(connection, owners)
    with _scratch(connection):
        failed = _create(connection, tuple(built.values()), stubs)
        tables = dict(read(query, built, scratch=True))
    return tables | {table: Table(table, unreadable=reason) for table, reason in failed.items()}


@contextmanager
def _scratch(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Put the temporary schema first on the search path, and undo everything at the end."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute(FIRST)
        yield
        transaction.set_rollback(rollback=True, using=connection.alias)


def _create(connection: BaseDatabaseWrapper, built: Sequence[Creation], stubs: Iterable[Target]) -> Mapping[str, str]:
    """Create the tables in one round trip; if that fails, one by one, and return why which failed."""
    stubs = tuple(stubs)
    first = "\n".join(_stubs(stubs))
    elsewhere = {name for name in (*(item.table for item in built), *(stub.table for stub in stubs)) if "." in name}
    statements = [(item.table, _local(elsewhere, item.create)) for item in built]
    statements += [(item.table, _local(elsewhere, item.later)) for item in built]
    try:
        _execute(connection, "\n".join([first, *(sql for _, sql in statements)]))
    except DatabaseError:
        failed: dict[str, str] = {}
        for table, sql in [("", first), *statements]:
            try:
                _execute(connection, sql)
            except DatabaseError as error:
                failed.setdefault(table, str(error).strip().splitlines()[0])
        return failed
    return {}


def _execute(connection: BaseDatabaseWrapper, sql: str) -> None:
    if sql.strip():
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            cursor.execute(sql)


def _local(elsewhere: Iterable[str], statements: Iterable[str]) -> str:
    """Return the statements with schema-qualified tables turned into scratch tables of the same key."""
    sql = "\n".join(statements)
    for table in elsewhere:
        schema, _, name = table.rpartition(".")
        sql = sql.replace(f'"{schema}"."{name}"', f'"{table}"')
    return sql


def _stubs(targets: Iterable[Target]) -> Iterator[str]:
    """Yield the statements for tables that have nothing but the columns that foreign keys refer to."""
    tables: dict[str, set[str]] = {}
    for target in targets:
        tables.setdefault(target.table, set()).add(f'"{target.column}" {target.type} UNIQUE')
    for table, columns in sorted(tables.items()):
        yield f'CREATE TABLE "{table}" ({", ".join(sorted(columns))});'
