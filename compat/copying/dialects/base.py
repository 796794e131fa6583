"""What the engine asks of a database beyond what Django answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, ForeignKey, IntegerField
from django.utils.translation import gettext as _

NULL = r"\N"
"""What stands for NULL in COPY's text format, https://www.postgresql.org/docs/current/sql-copy.html."""

BARE = {"FloatField", "DateTimeField", "DateField", "BooleanField"}
"""Types, beside whole numbers, whose text holds nothing that COPY's text format escapes."""


class Reference(NamedTuple):
    """What a foreign key says: this column refers to the key of that table, if it is not `optional` and empty."""

    column: str
    table: str
    key: str
    optional: bool


@dataclass(frozen=True)
class Secondary:
    """An index or foreign key that a copy can do without for a while."""

    name: str
    drop: str
    create: str
    after: str = ""
    """A statement that completes it, in a transaction of its own."""


def in_copy_format(field: "Field[Any, Any]", text: str, char: str) -> str:
    """Return SQL that writes the SQL `text`, a value of `field`, in COPY's text format; `char` names chr or char."""
    stored = field.target_field if isinstance(field, ForeignKey) else field
    if not isinstance(stored, IntegerField) and stored.get_internal_type() not in BARE:
        for plain, escape in ((r"'\'", r"\\"), (f"{char}(9)", r"\t"), (f"{char}(10)", r"\n"), (f"{char}(13)", r"\r")):
            text = f"replace({text}, {plain}, '{escape}')"
    return f"coalesce({text}, '{NULL}')"


def too_long(field: "Field[Any, Any]") -> str:
    """Say that a text has more characters than its column takes."""
    text = _("%(column)s is longer than %(length)d characters")
    return text % {"column": field.column, "length": field.max_length}


class Dialect(ABC):
    """A database as the engine sees it, through one connection."""

    distinct: ClassVar[str]
    """The operator that is true when two values differ, NULL being equal to NULL."""

    silent: ClassVar[bool]
    """Whether the database stores values that do not fit their column without an error."""

    supports_full_join: ClassVar[bool]
    """Whether every version of the database has FULL JOIN."""

    fence: ClassVar[str] = ""
    """What behind a subquery keeps the planner from computing its expressions more than once a row."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def begin_batch(self, cursor: CursorWrapper) -> None:
        """Prepare the transaction of a batch: short lock waits, constraints checked at each statement."""

    @abstractmethod
    def reserve_block(self, cursor: CursorWrapper, table: str, key: str, first: int, last: int, *, keep: bool) -> int:
        """Return the offset at which the keys `first` to `last` are free in `table`, and keep them free.

        The offset is 0 when the table is empty, or with `keep` in any case. Later inserts get keys above
        the block; the table's sequence is raised, never lowered. Raises Blocked when it has none.
        """

    @abstractmethod
    def secondary(self, cursor: CursorWrapper, table: str) -> list[Secondary]:
        """Return the indexes and foreign keys of `table` that can be set aside while rows pour in."""

    def begin_build(self, cursor: CursorWrapper) -> None:  # noqa: B027 most databases need nothing
        """Prepare the transaction in which an index is built."""

    @abstractmethod
    def references(self, cursor: CursorWrapper, table: str) -> list[tuple[str, str, str]]:
        """Return the foreign keys that point to `table`, quoted: referring table, its column, the key referred to."""

    @abstractmethod
    def open_writers(self, cursor: CursorWrapper, table: str) -> dict[str, str]:
        """Return the transactions that may hold uncommitted rows of `table`: id → description."""

    @abstractmethod
    def type_constraints(self, field: "Field[Any, Any]", value: str) -> Iterable[tuple[str, str]]:
        """Yield conditions under which the SQL `value` fits the type of `field`, each with what is wrong otherwise."""

    @abstractmethod
    def payload(self, column: str) -> str:
        """Return SQL that reads the quoted `column` for a reject's payload without loss or error."""

    @abstractmethod
    def plain(self, value: Any) -> Any:
        """Return what `payload` read as a value that every database's JSON can hold."""

    def may_check_keys(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> bool:
        """Tell whether the foreign keys of `table` may be checked for all rows of an insert at once.

        So they may when the session may keep the server from checking them row by row, when an insert fires
        nothing else, and when `references` names them all.
        """
        return False

    @contextmanager
    def unchecked_keys(self, cursor: CursorWrapper, table: str, references: Iterable[Reference]) -> Iterator[bool]:
        """Where they may, keep the server from checking foreign keys in the block; tell whether it does.

        When the block raises, the transaction or savepoint around it must be rolled back.
        """
        yield False

    def async_commit(self, cursor: CursorWrapper) -> None:  # noqa: B027 most databases need nothing
        """Let the commit of the open transaction not wait for the disk."""

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Prepare the connection for comparing a range of keys."""
        yield

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """Prepare the connection for reading values that go to another database."""
        yield

    temporary_schema: ClassVar[str]
    """Where temporary tables are."""

    @abstractmethod
    def export_constraints(self, field: "Field[Any, Any]", value: str, target: "Dialect") -> Iterable[tuple[str, str]]:
        """Yield conditions under which the SQL `value` can go to `target`, each with what is wrong otherwise."""

    @abstractmethod
    def exported(self, field: "Field[Any, Any]", value: str, target: "Dialect") -> str:
        """Return SQL that reads `value` in the form that `target` loads."""

    @abstractmethod
    def load(self, cursor: CursorWrapper, table: str, columns: list[str], rows: CursorWrapper) -> int:
        """Write the rows of a cursor into columns of a table of this database; return their number."""

    def pressure(self, cursor: CursorWrapper, lag: float, lock_waits: int) -> str:
        """Say why a copy should wait: a standby lags more than `lag` seconds, or too many sessions wait for locks."""
        return ""

    def refresh_statistics(self, cursor: CursorWrapper, table: str) -> None:  # noqa: B027 most databases need nothing
        """Let the planner know that `table` has grown."""
