"""The parts of a plan: steps with what they do to traffic, and what blocks a repair. Values without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from compat.structure.schema import Column

Key = tuple[str, str, str | None]
"""What a finding is about: the name of its kind, the table, the object."""


class Phase(IntEnum):
    """The order of steps: constraints need their columns, and foreign keys the constraints of other tables."""

    TABLES = 0
    COLUMNS = 1
    CONSTRAINTS = 2
    REFERENCES = 3


class Lock(StrEnum):
    """The strongest lock that a step takes on the table, by PostgreSQL's names."""

    NONE = "none"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    """Readers and writers go on."""
    SHARE = "SHARE"
    """Readers go on, writers wait."""
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    """Readers go on, writers wait."""
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
    """Readers and writers wait."""
    DATABASE = "database"
    """Writers of the whole SQLite file wait."""


class Work(StrEnum):
    """How much of the table a step touches, which decides how long it holds its lock."""

    CATALOG = "catalog"
    """Only the catalog changes."""
    SCAN = "scan"
    """Every row is read."""
    REWRITE = "rewrite"
    """Every row is written again."""


class Reason(StrEnum):
    """Why a finding is not repaired."""

    NO_REPAIR = "no_repair"
    NEEDS_REWRITE = "needs_rewrite"
    DATA_CONFLICT = "data_conflict"
    CANNOT_CONVERT = "cannot_convert"
    WAITS_FOR_COLUMN = "waits_for_column"
    DEPENDENT_OBJECTS = "dependent_objects"
    TABLE_IN_OTHER_SCHEMA = "table_in_other_schema"
    TABLE_RENAMED = "table_renamed"
    NAME_TAKEN = "name_taken"
    DATABASE_ERROR = "database_error"


TEXTS: Mapping[Reason, Any] = {
    Reason.NEEDS_REWRITE: gettext_lazy(
        "Run verify_structure --fix --rewrite. It rewrites the table and loses no value."
    ),
    Reason.DATA_CONFLICT: gettext_lazy("%(conflict)s, for example %(sample)s. List all: %(query)s;"),
    Reason.CANNOT_CONVERT: gettext_lazy("The rows cannot be converted: %(error)s"),
    Reason.WAITS_FOR_COLUMN: gettext_lazy("Repair the column %(column)s first: %(because)s"),
    Reason.DEPENDENT_OBJECTS: gettext_lazy(
        "The table cannot be rebuilt because %(dependents)s depend on it. "
        "Drop them, run verify_structure --fix, and create them again."
    ),
    Reason.TABLE_IN_OTHER_SCHEMA: gettext_lazy(
        "A table of that name is in %(places)s. If it is this one, put its schema first on the search path (in "
        """the database's OPTIONS: "options": "-c search_path=%(schema)s"), name it in the model """
        "(db_table = '%(named)s'), or move it: ALTER TABLE %(named)s SET SCHEMA …; If it is another one, "
        "create this one: %(sql)s"
    ),
    Reason.TABLE_RENAMED: gettext_lazy(
        "The table %(other)s has the same columns and no model: was it renamed? If so, %(rename)s If not, %(otherwise)s"
    ),
    Reason.NAME_TAKEN: gettext_lazy("%(name)s, which the table needs, belongs to %(other)s: was the table renamed?"),
    Reason.DATABASE_ERROR: gettext_lazy("The database refused: %(error)s.%(detail)s"),
}


@dataclass(frozen=True)
class Blocker:
    """Why a finding is not repaired: a reason and the facts of its message."""

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the message in the active language; empty where only the hint of a manual repair helps."""
        facts = {name: _sentence_part(value) for name, value in self.facts.items()}
        return str(TEXTS[self.reason] % facts) if self.reason in TEXTS else ""


def _sentence_part(value: Any) -> Any:
    return get_text_list([str(item) for item in value], gettext("and")) if isinstance(value, tuple) else value


NEEDS_REWRITE = Blocker(Reason.NEEDS_REWRITE)


@dataclass(frozen=True)
class DataCheck:
    """A query for the rows that conflict with a repair; `text`, of ngettext_lazy by `count`, says how."""

    query: str
    text: Any
    facts: Mapping[str, Any] = field(default_factory=dict)

    def describe(self, count: int) -> str:
        """Return the sentence for so many rows."""
        return str(self.text % {**self.facts, "count": count})


@dataclass(frozen=True)
class Conflict:
    """The sentence about conflicting rows, rendered when it is shown."""

    check: DataCheck
    count: int

    def __str__(self) -> str:
        """Return the sentence in the active language."""
        return self.check.describe(self.count)


def values_lost(query: str, column: Column) -> DataCheck:
    """Return the check for values that would not survive a change of the column's type."""
    text = ngettext_lazy(
        "%(count)d row has a value of %(column)s that %(type)s cannot hold unchanged",
        "%(count)d rows have values of %(column)s that %(type)s cannot hold unchanged",
        "count",
    )
    return DataCheck(query, text, {"column": column.name, "type": column.type})


@dataclass(frozen=True)
class Step:
    """Statements that repair some findings of one table.

    `needs_rewrite`: only `--rewrite` allows them. `concurrent`: they run outside a transaction, beside writers.
    `keys` are the findings that they repair. A step with a `blocker` does not run.
    """

    table: str
    sql: tuple[str, ...]
    phase: Phase = Phase.COLUMNS
    lock: Lock = Lock.ACCESS_EXCLUSIVE
    work: Work = Work.CATALOG
    needs_rewrite: bool = False
    concurrent: bool = False
    lock_timeout_seconds: float | None = None
    keys: tuple[Key, ...] = ()
    blocker: Blocker | None = None
