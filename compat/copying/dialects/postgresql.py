"""PostgreSQL."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, IntegerField
from django.utils.translation import gettext as _

from compat.copying.dialects import foreign_keys
from compat.copying.dialects.base import Dialect, Reference, Secondary, in_copy_format, too_long
from compat.copying.errors import Blocked

LOCK_TIMEOUT = "900ms"
"""Below the server's default deadlock_timeout of 1 s, so that the copy yields and not the application."""

COPY_CHUNK_ROWS = 500
CARRIED_AS_THEY_ARE = {
    "FloatField",
    "BooleanField",
    "IntegerField",
    "BigIntegerField",
    "ForeignKey",
    "TextField",
    "CharField",
    "BinaryField",
}
FORMS = {
    "DateTimeField": "regexp_replace(to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '[.]000000$', '')",
    "TimeField": "regexp_replace(to_char({0}, 'HH24:MI:SS.US'), '[.]000000$', '')",
    "DurationField": "(extract(epoch FROM {0}) * 1000000)::bigint",
    "GenericIPAddressField": "host({0})",
    "UUIDField": "replace(({0})::text, '-', '')",
}
"""How Django stores in other databases what PostgreSQL has types for."""


class PostgreSQL(Dialect):
    """PostgreSQL through one connection."""

    distinct = "IS DISTINCT FROM"
    silent = False
    supports_full_join = True
    temporary_schema = "pg_temp"

    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Wait for locks but shortly, and let deferred foreign keys speak at the statement."""
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET CONSTRAINTS ALL IMMEDIATE")

    def may_check_keys(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> bool:
        """Ask the catalog for rights, triggers, rules and other foreign keys."""
        return foreign_keys.may_check(cursor, table, references)

    @contextmanager
    def unchecked_keys(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> Iterator[bool]:
        """Take the role of a replica, for which the triggers that check them do not fire."""
        with foreign_keys.unchecked(cursor, table, references) as unchecked:
            yield unchecked

    def async_commit(self, cursor: CursorWrapper) -> None:
        """The server writes the log to disk a little later; a crash in between loses the whole transaction."""
        cursor.execute("SET LOCAL synchronous_commit = off")

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Merge both sides in one process: parallel hashing takes twice the work, and a copy has workers of its own."""
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            yield

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """Print floating-point numbers so that they come back to the last bit, whatever the server's default."""
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL extra_float_digits = 3")
            yield

    def reserve_block(self, cursor: CursorWrapper, table: str, key: str, first: int, last: int, *, keep: bool) -> int:
        """Lock out inserts for the moment in which the sequence is read and raised."""
        quote = self.connection.ops.quote_name
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"LOCK TABLE {quote(table)} IN SHARE ROW EXCLUSIVE MODE")
        sequence = self._sequence(cursor, table, key)
        cursor.execute(f"SELECT max({quote(key)}) FROM {quote(table)}")  # noqa: S608 quoted names
        (highest,) = cursor.fetchone()
        cursor.execute(f"SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM {sequence}")  # noqa: S608 name from the catalog
        (used,) = cursor.fetchone()
        offset = 0 if keep or highest is None else max(highest, used) + 1 - first
        if last + offset > used:
            cursor.execute("SELECT setval(%s::regclass, %s)", (sequence, last + offset))
        return offset

    def _sequence(self, cursor: CursorWrapper, table: str, key: str) -> str:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (self.connection.ops.quote_name(table), key))
        (sequence,) = cursor.fetchone()
        if sequence is None:
            text = _("%(column)s has no sequence. Run verify_structure --fix first.")
            raise Blocked(text % {"column": f"{table}.{key}"})
        return str(sequence)

    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Plain indexes that serve no constraint, and validated foreign keys, but for those of a partitioned table.

        Such a key cannot be put back without checking every row under a lock; an index can, on all partitions.
        """
        name = self.connection.ops.quote_name(table)
        cursor.execute(
            "SELECT c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) "
            "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s::regclass "
            "AND NOT i.indisunique AND NOT i.indisreplident AND i.indisvalid "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid) ORDER BY 1",
            (name,),
        )
        indexes = [Secondary(index, f"DROP INDEX {path}", create.replace(" ON ONLY ", " ON ", 1))
                   for index, path, create in cursor.fetchall()]  # fmt: skip
        cursor.execute(
            "SELECT conname, quote_ident(conname), pg_get_constraintdef(k.oid) FROM pg_constraint k "
            "JOIN pg_class t ON t.oid = conrelid AND t.relkind <> 'p' "
            "WHERE conrelid = %s::regclass AND contype = 'f' AND convalidated AND conparentid = 0 ORDER BY 1",
            (name,),
        )
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

    def begin_build(self, cursor: CursorWrapper) -> None:
        """Sort in memory, and wait for locks no longer than a batch does."""
        cursor.execute(f"SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")

    def references(self, cursor: CursorWrapper, table: str) -> list[tuple[str, str, str]]:
        """Read the foreign keys of one column that point to the table."""
        cursor.execute(
            "SELECT k.conrelid::regclass::text, quote_ident(c.attname), quote_ident(p.attname) FROM pg_constraint k "
            "JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] "
            "JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1] "
            "WHERE k.contype = 'f' AND k.confrelid = %s::regclass AND cardinality(k.conkey) = 1",
            (self.connection.ops.quote_name(table),),
        )
        return list(cursor.fetchall())

    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """Writers hold at least a row exclusive lock on the table until they end."""
        cursor.execute(
            "SELECT l.virtualtransaction, l.pid, a.xact_start::text "
            "FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'relation' AND l.relation = %s::regclass AND l.granted "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') "
            "AND l.pid IS DISTINCT FROM pg_backend_pid()",
            (self.connection.ops.quote_name(table),),
        )
        text = _("process %(pid)s, since %(moment)s")
        return {
            transaction: text % {"pid": pid, "moment": moment} if moment else _("prepared")
            for transaction, pid, moment in cursor.fetchall()
        }

    def type_constraints(self, field: "Field[Any, Any]", value: str) -> Iterable[tuple[str, str]]:
        """Only lengths: a value of another type makes the statement fail."""
        if field.max_length is not None and field.get_internal_type() in {"CharField", "SlugField", "FileField"}:
            yield f"char_length({value}) <= {int(field.max_length)}", too_long(field)

    def payload(self, column: str) -> str:
        """Let the server write the value: psycopg2 would bend infinity and fail on dates before Christ."""
        return f"to_jsonb({column})::text"

    def plain(self, value: Any) -> Any:
        """Parse the server's JSON."""
        return None if value is None else json.loads(value)

    def pressure(self, cursor: CursorWrapper, lag: float, lock_waits: int) -> str:
        """Look at the standbys' replay lag (NULL for a role that may not see it) and at ungranted locks."""
        cursor.execute(
            "SELECT coalesce((SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication), 0), "
            "(SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        behind, waiting = cursor.fetchone()
        if behind > lag:
            return _("held back: a standby is %(seconds).0f s behind") % {"seconds": behind}
        text = _("held back: %(sessions)d sessions wait for locks")
        return text % {"sessions": waiting} if waiting > lock_waits else ""

    def refresh_statistics(self, cursor: CursorWrapper, table: str) -> None:
        """Autovacuum would do so later; the comparison wants it now."""
        cursor.execute(f"ANALYZE {self.connection.ops.quote_name(table)}")

    def export_constraints(self, field: "Field[Any, Any]", value: str, target: Dialect) -> Iterable[tuple[str, str]]:
        """To another vendor: what PostgreSQL holds and Python does not."""
        if target.connection.vendor == "postgresql":
            return
        kind = field.get_internal_type()
        if kind in {"DateTimeField", "DateField"}:
            span = f"isfinite({value}) AND extract(year FROM {value}) BETWEEN 1 AND 9999"
            reason = _("%(column)s is infinite or outside of the years 1 to 9999")
            yield span, reason % {"column": field.column}
        elif kind == "FloatField":
            reason = _("%(column)s is NaN, which the target would store as NULL")
            yield f"{value} <> 'NaN'", reason % {"column": field.column}

    def exported(self, field: "Field[Any, Any]", value: str, target: Dialect) -> str:
        """To PostgreSQL the server's own text of every value; elsewhere Django's form of it."""
        if target.connection.vendor == "postgresql":
            return in_copy_format(field, f"({value})::text", "chr")
        kind = field.get_internal_type()
        as_it_is = isinstance(field, IntegerField) or kind in CARRIED_AS_THEY_ARE
        return FORMS.get(kind, "{0}" if as_it_is else "({0})::text").format(value)

    def load(self, cursor: CursorWrapper, table: str, columns: list[str], rows: CursorWrapper) -> int:
        """Use COPY."""
        names = ", ".join(map(self.connection.ops.quote_name, columns))
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", _CopyStream(rows.cursor, len(columns)))
        return int(cursor.rowcount)


class _CopyStream:
    """Rows as a file in COPY's text format, made while it is read, so that reading and writing overlap."""

    def __init__(self, rows: Any, columns: int) -> None:
        self.rows = rows
        self.line = "\t".join(["%s"] * columns) + "\n"

    def read(self, size: int = -1) -> str:
        """Return the next rows, at whatever length they have."""
        return "".join([self.line % row for row in self.rows.fetchmany(COPY_CHUNK_ROWS)])
