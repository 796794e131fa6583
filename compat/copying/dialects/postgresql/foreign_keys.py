"""Checking the foreign keys of an insert for all of its rows at once.

A server that checks foreign keys row by row spends more time on that than on writing. Where the role may, one statement
does what its checks do: it locks the rows that the projected rows refer to, so that they cannot be deleted before the
commit, and inserts only rows whose parents it has locked.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import ForeignKeys, ParentLocks, Reference
from compat.database.sql import Sql

MIN_ROWS_PER_PARENT = 100
"""With so many projected rows for each row of the parent table, the whole table is locked: selecting the parents that
are referred to takes a tenth of the time of writing."""
HAS_RIGHT = {False: "current_setting('is_superuser')::boolean",
             True: "has_parameter_privilege('session_replication_role', 'SET')"}  # fmt: skip
"""By whether the server knows rights on parameters."""
PARAMETER_RIGHTS_SINCE = 150000

MAY_CHECK = """
SELECT current_setting('session_replication_role') = 'origin'
   AND current_setting('transaction_isolation') = 'read committed'
   AND NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')
   AND EXISTS (SELECT 1 FROM pg_class WHERE oid = %(table)s::regclass AND relkind = 'r' AND NOT relhasrules)
   AND NOT EXISTS (
       SELECT 1 FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND tgenabled <> 'D' AND tgtype & 4 <> 0
       AND tgfoid <> 'pg_catalog."RI_FKey_check_ins"'::regproc)
   AND NOT EXISTS (
       SELECT 1 FROM pg_attrdef d JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = d.oid
       WHERE adrelid = %(table)s::regclass AND refclassid = 'pg_proc'::regclass)
   AND cardinality(%(columns)s::name[]) = (
       SELECT count(*) FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND tgenabled = 'O' AND tgtype & 4 <> 0)
   AND NOT EXISTS (
       SELECT 1 FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype = 'f' AND NOT EXISTS (
           SELECT 1
             FROM unnest(%(columns)s::name[], %(parents)s::text[], %(keys)s::name[]) AS known (col, parent, key)
             JOIN pg_attribute a ON a.attrelid = conrelid AND a.attname = known.col
             JOIN pg_attribute b ON b.attrelid = confrelid AND b.attname = known.key
             JOIN pg_class parents ON parents.oid = confrelid AND parents.relkind = 'r'
            WHERE confrelid = known.parent::regclass AND confrelid <> conrelid
              AND conkey = ARRAY[a.attnum] AND confkey = ARRAY[b.attnum]
              AND NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = confrelid)
              AND has_table_privilege(confrelid, 'SELECT') AND has_any_column_privilege(confrelid, 'UPDATE')
              AND NOT row_security_active(confrelid)))
"""
"""No trigger for INSERT (4 in `tgtype`) except those of foreign keys, no rule, no user-defined function as a default,
which could write elsewhere, and no unknown foreign key.

Every declared foreign key must be in force, because a copy is not stricter than the server. With a stricter isolation
the catalog would be read as it was before the locks were taken. A foreign key ignores rows of inheriting tables.
Locking a row that is referred to takes the right to update it. Citus has the triggers on other machines.
"""


class PostgreSQLForeignKeys(ForeignKeys):
    """Takes the role of a replica, for which the triggers that check foreign keys do not fire."""

    def may_check(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> bool:
        """Ask the catalog for rights, triggers, rules and other foreign keys."""
        known: dict[str, Any] = {
            "table": self.quote_table(table),
            "columns": [reference.column for reference in references],
            "parents": [self.quote_table(reference.table) for reference in references],
            "keys": [reference.key for reference in references],
        }
        right = HAS_RIGHT[self.connection.pg_version >= PARAMETER_RIGHTS_SINCE]  # type: ignore[attr-defined]
        cursor.execute(f"{MAY_CHECK} AND {right}", known)
        return bool(cursor.fetchone()[0])

    @contextmanager
    def unchecked(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> Iterator[bool]:
        """Lock the table as an insert does anyway, so that no trigger or foreign key can be added, and look again."""
        references, name = tuple(references), self.quote_table
        cursor.execute(f"LOCK TABLE ONLY {name(table)} IN ROW EXCLUSIVE MODE")
        may = bool(references) and self.may_check(cursor, table, references)
        if may:  # with this lock the parents cannot be renamed: the second answer holds until the commit
            parents = ", ONLY ".join(name(reference.table) for reference in references)
            cursor.execute(f"LOCK TABLE ONLY {parents} IN ACCESS SHARE MODE")
            may = self.may_check(cursor, table, references)
        if not may:
            yield False
            return
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield True
        cursor.execute("SET LOCAL session_replication_role = origin")

    def lock_parents(
        self, cursor: CursorWrapper, values: Sequence[tuple[Reference, str]], projected: Sql, rows: int
    ) -> ParentLocks:
        """Select the parents FOR KEY SHARE, as the server's own check does."""
        parents = [(f"parents_{number}", to, value) for number, (to, value) in enumerate(values)]
        return ParentLocks(
            [self._locking(cursor, *parent, projected, rows) for parent in parents],
            "".join(_join(*parent) for parent in parents),
            [_is_locked(*parent) for parent in parents],
        )

    def _locking(self, cursor: CursorWrapper, name: str, to: Reference, value: str, projected: Sql, rows: int) -> Sql:
        key, table = self.connection.ops.quote_name(to.key), self.quote_table(to.table)
        where = Sql("")
        if not self._are_few_and_free(cursor, table, rows // MIN_ROWS_PER_PARENT):
            where = Sql(f"WHERE {key} IN (SELECT {value} FROM ({projected.text}) projected)", projected.params)  # noqa: S608 quoted names
        locked = f"SELECT {key} AS key FROM {table} {where.text} FOR KEY SHARE"  # noqa: S608 quoted names
        return Sql(f"{name} AS MATERIALIZED ({locked})", where.params)

    def _are_few_and_free(self, cursor: CursorWrapper, table: str, few: int) -> bool:
        """Tell whether all rows of a table can be locked: there are at most `few`, and no other session holds one."""
        cursor.execute(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT {few + 1}) parents")  # noqa: S608 quoted names
        (parents,) = cursor.fetchone()
        if parents > few:
            return False
        cursor.execute(f"SELECT count(*) FROM (SELECT FROM {table} FOR KEY SHARE SKIP LOCKED) parents")  # noqa: S608 quoted names
        return bool(cursor.fetchone()[0] == parents)


def _join(name: str, to: Reference, value: str) -> str:
    """Join the locked parents: `IN (…) OR …` becomes a nested loop once they exceed work_mem, a join does not."""
    return f" LEFT JOIN {name} ON {name}.key = {value}" if to.optional else ""


def _is_locked(name: str, to: Reference, value: str) -> str:
    if to.optional:
        return f"({value} IS NULL OR {name}.key IS NOT NULL)"
    return f"{value} IN (SELECT key FROM {name})"  # noqa: S608 our own names
