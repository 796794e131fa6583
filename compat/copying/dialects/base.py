"""The interfaces of a dialect: what the engine asks of a database beyond what Django answers, by subject."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field

from compat.copying.dialects.neutral import Check, Conversion
from compat.database.sql import Sql, quote_table


class Reference(NamedTuple):
    """A foreign key of the target: `column` refers to `key` of `table`; `optional` where it may be NULL."""

    column: str
    table: str
    key: str
    optional: bool


class Referrer(NamedTuple):
    """A foreign key that points to a table: its own table and column and the column referred to, all quoted."""

    table: str
    column: str
    key: str


class Column(NamedTuple):
    """A column of a table."""

    name: str
    may_be_null: bool
    has_default: bool


class KeyUse(NamedTuple):
    """The largest key of a table (None: the table is empty) and the last key that its counter gave."""

    highest: int | None
    counter: int


@dataclass(frozen=True)
class Secondary:
    """An index or foreign key that can be deferred while a copy inserts rows."""

    name: str
    drop: str
    create: str
    after: str = ""
    """A statement that completes it, in a transaction of its own."""


@dataclass(frozen=True)
class StagedColumn:
    """A column of the staging table, with the field whose neutral values it holds; without one it holds text."""

    name: str
    field: "Field[Any, Any] | None" = None


@dataclass(frozen=True)
class ParentLocks:
    """Parts of an INSERT … SELECT that lock the rows referred to and leave out rows without a parent."""

    ctes: Sequence[Sql] = ()
    joins: str = ""
    conditions: Sequence[str] = ()


class Part:
    """What the dialect of one connection says on one subject."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def quote_table(self, table: str) -> str:
        """Quote a table name, which may name its schema."""
        return quote_table(self.connection, table)


class Expressions(Part, ABC):
    """SQL that databases write in different ways."""

    supports_full_join: ClassVar[bool]
    """Whether every supported version has FULL JOIN."""
    optimization_fence: ClassVar[str] = ""
    """The end of a subquery whose expressions the planner must not compute more than once a row."""

    @abstractmethod
    def differs(self, left: str, right: str, *, is_text: bool = False) -> str:
        """Return the condition that two values differ, NULL being equal to NULL.

        Texts are compared exactly, whatever the collation or the type of their columns.
        """

    @abstractmethod
    def as_text(self, value: str) -> str:
        """Convert a value to text."""

    @abstractmethod
    def as_bigint(self, value: str) -> str:
        """Convert a value to an integer of 64 bits."""

    @abstractmethod
    def concatenated(self, texts: Iterable[str]) -> str:
        """Join texts, at least one, that are not NULL."""


class Types(Part, ABC):
    """What the column types hold, and the way of values to and from the neutral form."""

    are_enforced: ClassVar[bool]
    """Whether the database refuses a value that does not fit its column's type."""

    @abstractmethod
    def checks(self, field: "Field[Any, Any]", value: str) -> Iterator[Check]:
        """Yield what the SQL `value` must meet to fit the column of `field`; it is not NULL."""

    @abstractmethod
    def to_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """Return how the SQL `value`, which goes to `field`, is rendered in the neutral form."""

    @abstractmethod
    def from_neutral(self, field: "Field[Any, Any]", value: str) -> Conversion:
        """Return how the staged SQL `value` is read as a value of `field`.

        For a value that does not meet the checks, the SQL gives anything but an error.
        """

    @abstractmethod
    def payload(self, column: str) -> str:
        """Return SQL that reads the quoted `column` for a reject's payload without loss or error."""

    @abstractmethod
    def plain(self, value: Any) -> Any:
        """Return what `payload` read as a value that every database's JSON can hold."""


class Times(Part, ABC):
    """Dates and times that name no time zone."""

    @abstractmethod
    def aware(self, value: Sql, zone: str) -> Sql:
        """Return a date and time as an instant; where it names no zone, it is a local time of `zone`.

        A local time in a gap or a fold of the zone is read with the smaller UTC offset, which is PostgreSQL's rule
        (DetermineTimeZoneOffset in its src/backend/utils/adt/datetime.c).
        """

    @abstractmethod
    def local(self, value: Sql) -> Sql:
        """Return a date and time that names no zone, in a form that compares with other local times; otherwise NULL."""


class Loading(Part, ABC):
    """The staging table, through which rows of another database come, and its bulk load."""

    table: ClassVar[str]
    """The staging table, quoted."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Prepare the connection for rendering values in the neutral form."""
        yield

    @abstractmethod
    def create(self, cursor: CursorWrapper, columns: Sequence[StagedColumn]) -> None:
        """Create the staging table, or replace it; it ends with the connection."""

    @abstractmethod
    def load(self, cursor: CursorWrapper, columns: Sequence[StagedColumn], rows: CursorWrapper) -> int:
        """Write rows in the neutral form into the staging table; return their number."""


class Introspection(Part, ABC):
    """What the catalog says of a table."""

    @abstractmethod
    def columns(self, cursor: CursorWrapper, table: str) -> list[Column]:
        """Return the columns of a table or view; none when it does not exist."""

    @abstractmethod
    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Return the indexes and foreign keys of `table` that can be deferred."""

    @abstractmethod
    def exists(self, cursor: CursorWrapper, table: str, secondary: str) -> bool:
        """Tell whether `table` has an index or constraint of that name."""

    @abstractmethod
    def referrers(self, cursor: CursorWrapper, table: str) -> list[Referrer]:
        """Return the foreign keys that point to `table`."""

    @abstractmethod
    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """Return the transactions that may hold uncommitted rows of `table`: id → description."""


class Session(Part, ABC):
    """Settings of connections and transactions, and consideration for others."""

    def prepare(self) -> None:
        """Prepare a new connection, without a query."""

    @abstractmethod
    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Prepare the transaction of a batch: short lock waits, constraints checked at each statement."""

    def begin_build(self, cursor: CursorWrapper) -> None:
        """Prepare the transaction in which an index is built."""

    def async_commit(self, cursor: CursorWrapper) -> None:
        """Let the commit of the open transaction not wait for the disk."""

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Prepare the connection for comparing a range of keys."""
        yield

    def pressure(self, cursor: CursorWrapper, lag: float, lock_waits: int) -> str:
        """Say why a copy should wait: a standby lags more than `lag` seconds, or too many sessions wait for locks."""
        return ""

    def refresh_statistics(self, cursor: CursorWrapper, table: str) -> None:
        """Tell the planner that `table` has grown."""


class Sequences(Part, ABC):
    """The counter that gives keys to new rows."""

    @abstractmethod
    def lock(self, cursor: CursorWrapper, table: str, column: str) -> KeyUse:
        """Keep others from inserting until the open transaction ends, and return which keys are in use.

        Raises Blocked when the table has no counter.
        """

    @abstractmethod
    def raise_to(self, cursor: CursorWrapper, table: str, column: str, key: int) -> None:
        """Let the counter give keys above `key`; it is never lowered. The table must be locked."""


class ForeignKeys(Part):
    """Checking the foreign keys of an insert for all of its rows at once; by default the server checks each row."""

    def may_check(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> bool:
        """Tell whether the foreign keys of `table` may be checked for all rows of an insert at once.

        This needs the right to keep the server from checking them, a table on which an insert fires nothing else, and
        `references` that name all of its foreign keys.
        """
        return False

    @contextmanager
    def unchecked(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> Iterator[bool]:
        """If it may be done, keep the server from checking foreign keys in the block; tell whether it does.

        When the block raises, the transaction or savepoint around it must be rolled back.
        """
        yield False

    def lock_parents(
        self, cursor: CursorWrapper, values: Sequence[tuple[Reference, str]], projected: Sql, rows: int
    ) -> ParentLocks:
        """Return what an insert of the `rows` projected rows needs where `unchecked` keeps the server from checking.

        `values` holds each reference with the projected column that refers.
        """
        return ParentLocks()


@dataclass(frozen=True)
class Dialect:
    """A database through one connection, by subject."""

    connection: BaseDatabaseWrapper
    sql: Expressions
    types: Types
    times: Times
    loading: Loading
    introspection: Introspection
    session: Session
    sequences: Sequences
    foreign_keys: ForeignKeys = field(repr=False)
