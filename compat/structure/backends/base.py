"""What every database must be able to do for verification and repair."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.structure.build import Creation
from compat.structure.expected import Owner
from compat.structure.findings import Finding, Severity
from compat.structure.plan import Obstacle, Step
from compat.structure.snapshot import Column, Snapshot, Table

LARGE = 256 * 2**20  # bytes; below it an index takes a second or two


class Backend(ABC):
    """One database: reads snapshots, judges types, and knows the SQL that repairs a table."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def connect(self) -> None:
        """Connect if that is not done yet. Raises DatabaseError, or Unverifiable where the reason is plain before."""
        self.connection.ensure_connection()

    @abstractmethod
    def expected(self, owners: Iterable[Owner]) -> Snapshot:
        """Create the owners' tables in a scratch place and return what they look like. Raises Unverifiable."""

    @abstractmethod
    def actual(self, names: Iterable[str]) -> Snapshot:
        """Return the tables (or what stands in their place) of these names, with a constant number of queries."""

    @abstractmethod
    def judge_type(self, expected: str, actual: str) -> Severity | None:
        """Return how bad it is that a column has the type `actual`; None when there is no difference."""

    @abstractmethod
    def steps(self, table: Table, actual: Table, findings: Iterable[Finding], values: "Values") -> Iterator[Step]:
        """Return the steps that repair these findings of one table; a finding without a step cannot be repaired."""

    @abstractmethod
    def by_hand(self, finding: Finding, expected: Table, actual: Table) -> str:
        """Return the statements that a person may run where there are no steps; empty where none are known."""

    @abstractmethod
    def type_obstacle(self, table: Table, expected: Column, actual: Column) -> Obstacle | None:
        """Return the query for values that would not survive the change of type."""

    def users_of(self, table: Table, column: Column) -> Obstacle | None:
        """Return the query for what uses the column and keeps its type from being changed."""
        return None

    def clashes(self, expected: str, actual: str) -> bool:
        """Whether a rule or default made for one type cannot be made on a column of the other."""
        return False

    @abstractmethod
    def repairing(self) -> AbstractContextManager[None]:
        """Return a transaction in which tables may be rebuilt."""

    def tolerating_orphans(self) -> AbstractContextManager[None]:
        """Return a context in which rows that broke a foreign key before do not make a migration fail."""
        return nullcontext()

    @abstractmethod
    def creation(self, owner: Owner) -> Creation:
        """Return the statements that create a missing table with its indexes and constraints."""

    @abstractmethod
    def size(self, table: Table) -> int:
        """Return the bytes of a table's rows, or a bound for them."""

    def is_large(self, table: Table) -> bool:
        """Whether a report leaves the rows alone, and a repair works beside the application's writes."""
        return self.size(table) >= getattr(settings, "COMPAT_STRUCTURE_LARGE_TABLE", LARGE)

    @abstractmethod
    def asking(self, seconds: float | None) -> AbstractContextManager[None]:
        """Return a context in which rows are read; with `seconds`, a query that takes longer raises DatabaseError."""

    @abstractmethod
    def is_interrupted(self, error: DatabaseError) -> bool:
        """Whether the error says that the time of `asking` was up."""

    @abstractmethod
    def is_lock_timeout(self, error: DatabaseError) -> bool:
        """Whether the error says that somebody else held a lock for too long: trying again may help."""

    def is_read_only(self, error: DatabaseError) -> bool:
        """Whether the error says that nothing can be written to the database."""
        return False

    def locked(self) -> tuple[str, ...]:
        """Return some tables that others have locked against everybody, where the database tells."""
        return ()

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall())

    def quote(self, *names: str) -> str:
        """Return the names quoted and separated by commas; schema.table becomes "schema"."table"."""
        return ", ".join(self.connection.ops.quote_name(name) for name in names)


def renamed_or_not(table: str, old: str, new: str) -> str:
    """Return what to run by hand for a column that seems renamed; the names are quoted."""
    rename, drop = f"ALTER TABLE {table} RENAME COLUMN {old} TO {new};", f"ALTER TABLE {table} DROP COLUMN {old};"
    text = _("%(rename)s if it was renamed. If not: %(drop)s then verify_structure --fix")
    return text % {"rename": rename, "drop": drop}


Values = Any
