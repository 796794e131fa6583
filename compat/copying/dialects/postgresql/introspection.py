"""PostgreSQL's catalog."""

from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from compat.copying.dialects.base import Column, Introspection, Referrer, Secondary

COLUMNS = """
SELECT attname, NOT attnotnull, atthasdef OR attidentity <> '' FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
INDEXES = """
SELECT c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass AND NOT i.indisunique AND NOT i.indisreplident AND i.indisvalid
AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid) ORDER BY 1
"""
FOREIGN_KEYS = """
SELECT conname, quote_ident(conname), pg_get_constraintdef(k.oid) FROM pg_constraint k
JOIN pg_class t ON t.oid = conrelid AND t.relkind <> 'p'
WHERE conrelid = %s::regclass AND contype = 'f' AND convalidated AND conparentid = 0 ORDER BY 1
"""
EXISTS = """
SELECT EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               WHERE i.indrelid = %(table)s::regclass AND c.relname = %(name)s)
    OR EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = %(table)s::regclass AND conname = %(name)s)
"""
REFERRERS = """
SELECT k.conrelid::regclass::text, quote_ident(c.attname), quote_ident(p.attname) FROM pg_constraint k
JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1]
JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1]
WHERE k.contype = 'f' AND k.confrelid = %s::regclass AND cardinality(k.conkey) = 1
"""
WRITERS = """
SELECT l.virtualtransaction, l.pid, a.xact_start::text FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = %s::regclass AND l.granted
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
AND l.pid IS DISTINCT FROM pg_backend_pid()
"""


class PostgreSQLIntrospection(Introspection):
    """Catalog queries; tables are looked up as the server itself does."""

    def columns(self, cursor: CursorWrapper, table: str) -> list[Column]:
        """Read pg_attribute."""
        cursor.execute(COLUMNS, (self.quote_table(table),))
        return [Column(*row) for row in cursor.fetchall()]

    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Plain indexes that serve no constraint, and validated foreign keys, except those of a partitioned table.

        Such a key cannot be restored without checking every row under a lock; an index can, on all partitions.
        """
        name = self.quote_table(table)
        cursor.execute(INDEXES, (name,))
        indexes = [Secondary(index, f"DROP INDEX {path}", create.replace(" ON ONLY ", " ON ", 1))
                   for index, path, create in cursor.fetchall()]  # fmt: skip
        cursor.execute(FOREIGN_KEYS, (name,))
        alter = f"ALTER TABLE {name}"
        keys = [
            Secondary(
                constraint,
                f"{alter} DROP CONSTRAINT {quoted}",
                f"{alter} ADD CONSTRAINT {quoted} {definition} NOT VALID",
                f"{alter} VALIDATE CONSTRAINT {quoted}",
            )
            for constraint, quoted, definition in cursor.fetchall()
        ]
        return keys + indexes

    def exists(self, cursor: CursorWrapper, table: str, secondary: str) -> bool:
        """Look for an index or a constraint."""
        cursor.execute(EXISTS, {"table": self.quote_table(table), "name": secondary})
        return bool(cursor.fetchone()[0])

    def referrers(self, cursor: CursorWrapper, table: str) -> list[Referrer]:
        """Read the foreign keys of one column."""
        cursor.execute(REFERRERS, (self.quote_table(table),))
        return [Referrer(*row) for row in cursor.fetchall()]

    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """Writers hold at least a row exclusive lock on the table until they end."""
        cursor.execute(WRITERS, (self.quote_table(table),))
        text = _("process %(pid)s, since %(moment)s")
        return {
            transaction: text % {"pid": pid, "moment": moment} if moment else _("prepared")
            for transaction, pid, moment in cursor.fetchall()
        }
