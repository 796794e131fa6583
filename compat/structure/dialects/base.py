"""The interfaces of a dialect: what differs between databases for verification and repair."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

from compat.database.dialects import Dialect as DatabaseDialect
from compat.structure.build import Creation
from compat.structure.constraints import Constraint
from compat.structure.matching import Sides
from compat.structure.names import quote_columns, quote_key
from compat.structure.project import ModelTable
from compat.structure.schema import Column, Snapshot, Table, TypeDifference
from compat.structure.steps import DataCheck, Lock, Phase, Step

LARGE_TABLE_BYTES = 256 * 2**20
"""An index of a smaller table is built in a second or two."""


def is_large(size_bytes: int) -> bool:
    """Whether a table of this size is a large one, by the setting COMPAT_STRUCTURE_LARGE_TABLE."""
    return size_bytes >= int(getattr(settings, "COMPAT_STRUCTURE_LARGE_TABLE", LARGE_TABLE_BYTES))


@dataclass(frozen=True)
class ManualRepair:
    """Statements for a person to run; `text` puts them as `%(sql)s`, with `facts`, into a sentence."""

    sql: tuple[str, ...]
    text: str = "%(sql)s"
    facts: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text % {"sql": " ".join(self.sql), **self.facts}


class Introspection(ABC):
    """Reads tables into snapshots."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def connect(self) -> None:
        """Connect if that is not done yet. Raises DatabaseError or Unverifiable."""
        self.connection.ensure_connection()

    @abstractmethod
    def expected(self, tables: Iterable[ModelTable]) -> Snapshot:
        """Create the tables in a scratch place and return what they look like. Raises Unverifiable."""

    @abstractmethod
    def actual(self, names: Iterable[str]) -> Snapshot:
        """Return the existing tables of these names, with a constant number of queries."""

    @abstractmethod
    def creation(self, table: ModelTable) -> Creation:
        """Return the statements that create a missing table with its indexes and constraints."""

    @abstractmethod
    def size_bytes(self, table: Table) -> int:
        """Return the size of a table's rows, or an upper bound."""

    def is_large(self, table: Table) -> bool:
        """Whether a report does not read the rows, and a repair runs beside the application's writes."""
        return is_large(self.size_bytes(table))

    def locked_tables(self) -> tuple[str, ...]:
        """Return some tables that other sessions have locked against readers, where the database tells."""
        return ()

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall())


class Types(ABC):
    """Judges types and conversions."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def difference(self, expected: str, actual: str) -> TypeDifference | None:
        """Return how the type `actual` differs from the model's, None when it does not."""

    def clash(self, expected: str, actual: str) -> bool:
        """Whether a constraint or default for one type cannot be created on a column of the other."""
        return False

    @abstractmethod
    def values_lost(self, table: Table, expected: Column, actual: Column) -> DataCheck | None:
        """Return the check for values that would not survive the change of type."""

    def dependents(self, table: Table, column: Column) -> DataCheck | None:
        """Return the check for objects that prevent a change of the column's type."""
        return None


class DDL:
    """The statements of repairs. What a dialect does not override, it does not repair."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def quote(self, *names: str) -> str:
        """Return names quoted and separated by commas."""
        return quote_columns(self.connection, *names)

    def table(self, key: str) -> str:
        """Return the quoted table of a key."""
        return quote_key(self.connection, key)

    def literal(self, value: Any) -> str:
        """Return a value as an SQL literal. The statement must not have parameters."""
        editor: Any = self.connection.schema_editor(collect_sql=True, atomic=False)
        return str(editor.quote_value(value))

    def default_literal(self, field: "Field[Any, Any] | None") -> str | None:
        """Return the SQL literal of a field's default for existing rows, None when it has none."""
        if field is None:
            return None
        editor: Any = self.connection.schema_editor(collect_sql=True, atomic=False)
        value = editor.effective_default(field)
        return None if value is None else str(editor.quote_value(value))

    def combine(self, sides: Sides, steps: Sequence[Step]) -> Sequence[Step]:
        """Combine the steps of one table where the database does them together."""
        return steps

    def create_table(self, name: str, sql: tuple[str, ...], phase: Phase) -> Step:
        """Create a table, or what belongs to it when all tables exist."""
        return Step(name, sql, phase, Lock.NONE if phase is Phase.TABLES else Lock.SHARE_ROW_EXCLUSIVE)

    def add_column(self, sides: Sides, column: Column, filler: str | None) -> Sequence[Step]:
        """Add a column; `filler` is the literal for existing rows where the column needs a value."""
        return ()

    def change_type(self, sides: Sides, column: Column) -> Sequence[Step]:
        """Change the type of a column."""
        return ()

    def change_collation(self, sides: Sides, column: Column) -> Sequence[Step]:
        """Change the collation of a column."""
        return ()

    def change_nullability(self, sides: Sides, column: Column) -> Sequence[Step]:
        """Allow or forbid NULL, or validate the constraint that forbids it."""
        return ()

    def set_default(self, sides: Sides, column: Column) -> Sequence[Step]:
        """Set the default that the model declares."""
        return ()

    def restore_numbering(self, sides: Sides, column: Column) -> Sequence[Step]:
        """Make the database number the rows of a key again."""
        return ()

    def repair_sequence(self, sides: Sides, column: str) -> Sequence[Step]:
        """Raise, widen or turn the sequence of a key."""
        return ()

    def set_logged(self, sides: Sides) -> Sequence[Step]:
        """Make a table survive a crash of the server."""
        return ()

    def restore_constraint(self, sides: Sides, constraint: Constraint) -> Sequence[Step]:
        """Create a missing constraint or index, or repair its state; never replace one with another meaning."""
        return ()

    def move_away(self, sides: Sides) -> ManualRepair | None:
        """Return how to make room for a table where something else has its name."""
        return None

    def drop_column(self, sides: Sides, column: str) -> ManualRepair | None:
        """Return how to let inserts succeed in spite of an extra column."""
        return None

    def regenerate(self, sides: Sides, column: Column | None, name: str) -> ManualRepair | None:
        """Return how to give a generated column its expression."""
        return None

    def rename_column(self, sides: Sides, old: str, new: str) -> ManualRepair | None:
        """Return how to rename a column."""
        return None

    def replace_constraint(self, sides: Sides, constraint: Constraint) -> ManualRepair | None:
        """Return how to replace a constraint or index that has another meaning."""
        return None

    def drop_constraint(self, sides: Sides, constraint: Constraint) -> ManualRepair | None:
        """Return how to drop an extra constraint or index."""
        return None

    def open_rows(self, sides: Sides) -> ManualRepair | None:
        """Return how to make rows visible that row-level security hides."""
        return None


class Session(ABC):
    """Transactions and limits of a verification and a repair."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def repairing(self) -> AbstractContextManager[None]:
        """Return a transaction in which tables may be changed."""

    @abstractmethod
    def reading(self, seconds: float | None) -> AbstractContextManager[None]:
        """Return a context for reading rows; with `seconds`, a query that takes longer raises DatabaseError."""

    def ignoring_known_orphans(self) -> AbstractContextManager[None]:
        """Return a context in which rows that violated a foreign key before do not make a migration fail."""
        return nullcontext()


@dataclass(frozen=True)
class Dialect:
    """One database, for verification and repair; `database` is what both engines know of it."""

    database: DatabaseDialect
    introspection: Introspection
    types: Types
    ddl: DDL
    session: Session

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """The connection to the database."""
        return self.database.connection
