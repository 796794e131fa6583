"""SQLite."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from compat.structure.backends.base import Backend
from compat.structure.backends.sqlite import by_hand, catalog, repairs
from compat.structure.backends.sqlite.files import file_of, in_memory, require_folder
from compat.structure.build import Creation, creations
from compat.structure.errors import Unverifiable
from compat.structure.expected import Owner
from compat.structure.findings import Finding, Severity
from compat.structure.plan import Obstacle, Step
from compat.structure.snapshot import Column, Snapshot, Table

SIZE = re.compile(r"\(.*\)")
STEPS = 10_000  # of SQLite's machine between two looks at the clock


class SQLite(Backend):
    """Expected tables are created in a database in memory."""

    def connect(self) -> None:
        require_folder(self.connection)
        super().connect()

    def expected(self, owners: Iterable[Owner]) -> Snapshot:
        owners = tuple(owners)
        scratch = in_memory(self.connection)
        try:
            with scratch.cursor() as cursor:
                failed = _create(cursor, creations(scratch, owners).values())

                def query(sql: str) -> list[tuple[Any, ...]]:
                    cursor.execute(sql)
                    return list(cursor.fetchall())

                return {**catalog.read(query, [owner.table for owner in owners]), **failed}
        finally:
            scratch.close()

    def actual(self, names: Iterable[str]) -> Snapshot:
        return catalog.read(self.rows, names)

    def judge_type(self, expected: str, actual: str) -> Severity | None:
        if affinity(expected) != affinity(actual):
            return Severity.ERROR
        same_words = SIZE.sub("", expected) == SIZE.sub("", actual)
        return Severity.WARNING if same_words else Severity.INFO

    def creation(self, owner: Owner) -> Creation:
        scratch = in_memory(self.connection)
        try:
            return creations(scratch, [owner])[owner.table]
        finally:
            scratch.close()

    def steps(self, table: Table, actual: Table, findings: Iterable[Finding], values: Any) -> Iterator[Step]:
        return repairs.steps(self, table, actual, findings, values)

    def by_hand(self, finding: Finding, expected: Table, actual: Table) -> str:
        return by_hand.by_hand(self, finding, expected, actual)

    def type_obstacle(self, table: Table, expected: Column, actual: Column) -> Obstacle | None:
        return repairs.type_obstacle(self, table, expected)

    @contextmanager
    def repairing(self) -> Iterator[None]:
        if self.connection.in_atomic_block:
            text = _("SQLite cannot rebuild a table inside a transaction: call the repair outside of one.")
            raise Unverifiable(text)
        self.connection.disable_constraint_checking()
        try:
            with transaction.atomic(self.connection.alias):
                self.rows("SELECT 1")
                before = self._orphans()
                yield
                if self._orphans() - before:
                    raise IntegrityError(_("A rebuilt table lost rows that others refer to; nothing was changed."))
        finally:
            self.connection.enable_constraint_checking()

    @contextmanager
    def tolerating_orphans(self) -> Iterator[None]:
        """Django's schema editor checks every foreign key of the file when it ends: let it see new orphans only."""
        before = self._orphans()

        def check_constraints(table_names: object = None) -> None:
            if self._orphans() - before:
                type(self.connection).check_constraints(self.connection)  # names the row

        if not before:
            yield
            return
        self.connection.check_constraints = check_constraints  # type: ignore[method-assign]
        try:
            yield
        finally:
            del self.connection.check_constraints

    def size(self, table: Table) -> int:
        file = file_of(self.connection)
        return file.stat().st_size if file is not None and file.exists() else 0

    @contextmanager
    def asking(self, seconds: float | None) -> Iterator[None]:
        connection: Any = self.connection.connection
        if seconds is None:
            yield
            return
        until = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def is_interrupted(self, error: DatabaseError) -> bool:
        return str(error) == "interrupted"

    def is_read_only(self, error: DatabaseError) -> bool:
        return "readonly database" in str(error)

    def is_lock_timeout(self, error: DatabaseError) -> bool:
        return "database is locked" in str(error)

    def _orphans(self) -> set[tuple[Any, ...]]:
        """Return table, row and referred table of each broken reference; a key that cannot be checked has none."""
        tables = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: set[tuple[Any, ...]] = set()
        for table in tables:
            with suppress(DatabaseError):  # the key refers to what is no key: the comparison tells of it
                found |= {row[:3] for row in self.rows(f"PRAGMA foreign_key_check({self.quote(table)})")}
        return found


def _create(cursor: Any, built: Iterable[Creation]) -> dict[str, Table]:
    """Create the tables, and return those that this SQLite cannot create with the reason."""
    failed = {}
    for item in built:
        try:
            for sql in item.create + item.later:
                cursor.execute(sql)
        except DatabaseError as error:
            failed[item.table] = Table(item.table, unreadable=str(error))
    return failed


def affinity(type_: str) -> str:
    """Return the affinity that SQLite gives a declared type (https://sqlite.org/datatype3.html, 3.1)."""
    for name, parts in (("integer", ("int",)), ("text", ("char", "clob", "text")), ("blob", ("blob",)),
                        ("real", ("real", "floa", "doub"))):  # fmt: skip
        if any(part in type_ for part in parts):
            return name
    return "numeric" if type_ else "blob"
