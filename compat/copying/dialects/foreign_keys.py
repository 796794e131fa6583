"""Whether the foreign keys of a PostgreSQL table may be checked for all rows of an insert at once, and how."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

from compat.copying.dialects.base import Reference

RIGHT = {False: "current_setting('is_superuser')::boolean",
         True: "has_parameter_privilege('session_replication_role', 'SET')"}  # fmt: skip
"""By whether the server knows rights on parameters."""
SINCE = 150000

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
"""No trigger for INSERT (4 in `tgtype`) but those of foreign keys, no rule, no function of one's own that is a
default and could write elsewhere, and no foreign key that is not known.

Nor one that is known and not in force, for a copy is not stricter than the server. With a stricter isolation the
catalog would be seen as it was before the locks were taken. A foreign key does not see rows that a table inherits.
Locking a row that is referred to takes the right to update it. Citus has the triggers on other machines.
"""


def may_check(cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> bool:
    """Ask the catalog; see Dialect.may_check_keys."""
    name = cursor.db.ops.quote_name
    known = {
        "table": name(table),
        "columns": [reference.column for reference in references],
        "parents": [name(reference.table) for reference in references],
        "keys": [reference.key for reference in references],
    }
    cursor.execute(f"{MAY_CHECK} AND {RIGHT[cursor.db.pg_version >= SINCE]}", known)
    (may,) = cursor.fetchone()
    return bool(may)


@contextmanager
def unchecked(cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> Iterator[bool]:
    """Take the role of a replica for the block: there, triggers that check foreign keys do not fire.

    The lock is the one that an insert takes anyway. Under it nobody adds a trigger or a foreign key.
    """
    references, name = tuple(references), cursor.db.ops.quote_name
    cursor.execute(f"LOCK TABLE ONLY {name(table)} IN ROW EXCLUSIVE MODE")
    may = bool(references) and may_check(cursor, table, references)
    if may:  # now without being renamed: what was said of the parents' names holds to the end
        cursor.execute(f"LOCK TABLE ONLY {', ONLY '.join(name(to.table) for to in references)} IN ACCESS SHARE MODE")
        may = may_check(cursor, table, references)
    if not may:
        yield False
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield True
    cursor.execute("SET LOCAL session_replication_role = origin")
