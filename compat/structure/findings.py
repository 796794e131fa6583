"""What a verification finds: severities, causes, findings, and the interface of a kind of findings."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from compat.structure.dialects.base import Dialect, ManualRepair
from compat.structure.matching import Sides
from compat.structure.schema import Snapshot
from compat.structure.steps import DataCheck, Key, Step

CODE_PREFIX = "compat"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """The application fails, writes wrong data or loses a guarantee."""
    WARNING = "warning"
    """The application works, but the database differs."""
    INFO = "info"
    """Nothing is harmed."""

    @property
    def rank(self) -> int:
        """0 for info, 2 for error."""
        return ("info", "warning", "error").index(self.value)


class Cause(StrEnum):
    """Where a difference comes from: the database changed, a migration waits, or the models have none yet."""

    DRIFT = "drift"
    UNAPPLIED = "unapplied_migration"
    MISSING = "missing_migration"


@dataclass(frozen=True)
class Documentation:
    """What docs/findings.md says about a kind with one severity."""

    meaning: str
    danger: str
    remedy: str


@dataclass(frozen=True)
class Repair:
    """A finding to repair: both sides of its table, the database, and the tables that no model knows."""

    finding: "Finding"
    sides: Sides
    dialect: Dialect
    unmodelled_tables: Callable[[], Snapshot]


class Kind(ABC):
    """A kind of findings: how it is found, what must be checked in the data, how it is repaired, and its text.

    `compat.structure.kinds` collects the subclasses. The `number` is a part of public codes and must never change.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    title: ClassVar[str]
    documentation: ClassVar[Mapping[Severity, Documentation]]

    compares: ClassVar[bool] = True
    """Whether it can be found only where both sides are tables that could be read."""
    is_difference: ClassVar[bool] = True
    """Whether a finding is a difference; otherwise it is a doubt, and nothing can be repaired."""
    is_missing_table: ClassVar[bool] = False
    is_about_history: ClassVar[bool] = False
    """Whether a finding is about the recorded migrations of an app, which no repair changes."""
    replaces_column: ClassVar[bool] = False
    """Whether its repair gives a column another type, so that what clashes with the old type waits for it."""
    adds_column: ClassVar[bool] = False
    """Whether its repair adds a column, so that what needs the column waits for it."""
    needs_type: ClassVar[bool] = False
    """Whether its repair needs the columns that it uses in their right type."""

    @abstractmethod
    def find(self, sides: Sides) -> Iterator["Finding"]:
        """Yield the findings of one table."""

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        """Yield the checks for rows that conflict with the repair."""
        yield from ()

    def needs(self, repair: Repair) -> Iterator[tuple[str, str]]:
        """Yield the columns, as (table, column), that the repair needs."""
        yield from ()

    def steps(self, repair: Repair) -> Sequence[Step]:
        """Return the steps of the repair, none where it has none."""
        return ()

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        """Return what a person can run where there are no steps."""
        return None

    def inline_column(self, repair: Repair) -> str:
        """Return the column that the repair replaces as a whole, where the database does that."""
        column = repair.sides.expected.column(repair.finding.object)
        return column.name.casefold() if column and column.definition else ""

    def code(self, severity: Severity) -> str:
        """Return the stable id, such as `compat.E001`."""
        return f"{CODE_PREFIX}.{severity.value[0].upper()}{self.number:03}"

    def finding(
        self,
        severity: Severity,
        table: str,
        message: str,
        about: str,
        expected: object = None,
        actual: object = None,
        hint: str = "",
    ) -> "Finding":
        """Return a finding of this kind; `about` is the column, constraint or table that it is about."""
        return Finding(self, severity, table, message, about, expected, actual, hint=hint)


@dataclass(frozen=True)
class Finding:
    """One difference between the database and the models."""

    kind: Kind
    severity: Severity
    table: str
    message: str
    object: str | None = None
    expected: Any = None
    actual: Any = None
    cause: Cause = Cause.DRIFT
    app: str | None = None
    model: str | None = None
    hint: str = ""
    fixable: bool = False
    needs_rewrite: bool = False
    sql: tuple[str, ...] = ()
    ignored: str | None = None

    @property
    def code(self) -> str:
        """The stable id, such as `compat.E001`."""
        return self.kind.code(self.severity)

    @property
    def key(self) -> Key:
        """What the finding is about, apart from the values found."""
        return self.kind.name, self.table, self.object

    @property
    def counts(self) -> bool:
        """Whether the finding is more than information, and not ignored."""
        return self.severity is not Severity.INFO and self.ignored is None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding of the JSON output."""
        result = {
            "code": self.code, "kind": self.kind.name, "severity": self.severity.value, "cause": self.cause.value,
            "app": self.app, "model": self.model, "table": self.table, "object": self.object,
            "expected": self.expected, "actual": self.actual, "message": self.message, "hint": self.hint,
            "fixable": self.fixable, "needs_rewrite": self.needs_rewrite, "sql": list(self.sql),
        }  # fmt: skip
        return result | ({"ignored": self.ignored} if self.ignored is not None else {})
