"""What a verification reports: the codes, the findings, the report.

A code is `compat.` with the severity's letter and the kind's number: `compat.E001` is a missing table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

PREFIX = "compat"


class Severity(StrEnum):
    """How bad a finding is: error = fails, writes wrong data or loses a guarantee; warning = works but differs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info, 2 for error."""
        return ("info", "warning", "error").index(self.value)


class Cause(StrEnum):
    """Where a finding comes from: the database changed, a migration waits, or the models have no migration yet."""

    DRIFT = "drift"
    UNAPPLIED = "unapplied_migration"
    MISSING = "missing_migration"


class Kind(StrEnum):
    """What is wrong."""

    MISSING_TABLE = "missing_table"
    NOT_A_TABLE = "not_a_table"
    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"
    RENAMED_COLUMN = "renamed_column"
    TYPE = "type"
    NULLABILITY = "nullability"
    DEFAULT = "default"
    COLLATION = "collation"
    GENERATED = "generated"
    IDENTITY = "identity"
    SEQUENCE = "sequence"
    PRIMARY_KEY = "primary_key"
    FOREIGN_KEY = "foreign_key"
    UNIQUE = "unique"
    CHECK = "check"
    EXCLUSION = "exclusion"
    INDEX = "index"
    STORAGE = "storage"
    COMMENT = "comment"
    NAME = "name"
    UNJUDGED = "unjudged"
    TRIGGER = "trigger"
    ROW_SECURITY = "row_security"


NUMBERS: Mapping[Kind, int] = {kind: number for number, kind in enumerate(Kind, start=1)}

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
SEVERITIES: Mapping[Kind, tuple[Severity, ...]] = {
    Kind.MISSING_TABLE: (_E, _I),
    Kind.NOT_A_TABLE: (_E, _I),
    Kind.MISSING_COLUMN: (_E, _I),
    Kind.EXTRA_COLUMN: (_E, _I),
    Kind.RENAMED_COLUMN: (_E,),
    Kind.TYPE: (_E, _W, _I),
    Kind.NULLABILITY: (_E, _W),
    Kind.DEFAULT: (_E, _I),
    Kind.COLLATION: (_E, _I),
    Kind.GENERATED: (_E,),
    Kind.IDENTITY: (_E,),
    Kind.SEQUENCE: (_E, _W, _I),
    Kind.PRIMARY_KEY: (_E, _W),
    Kind.FOREIGN_KEY: (_E, _W, _I),
    Kind.UNIQUE: (_E, _W, _I),
    Kind.CHECK: (_E, _W, _I),
    Kind.EXCLUSION: (_E, _W, _I),
    Kind.INDEX: (_W, _I),
    Kind.STORAGE: (_E,),
    Kind.COMMENT: (_I,),
    Kind.NAME: (_I,),
    Kind.UNJUDGED: (_W, _I),
    Kind.TRIGGER: (_I,),
    Kind.ROW_SECURITY: (_E, _W, _I),
}


def code(kind: Kind, severity: Severity) -> str:
    """Return the stable id, such as `compat.E001`."""
    return f"{PREFIX}.{severity.value[0].upper()}{NUMBERS[kind]:03}"


CODES = tuple(code(kind, severity) for kind, severities in SEVERITIES.items() for severity in severities)


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
    rewrite: bool = False
    sql: tuple[str, ...] = ()
    ignored: str | None = None

    @property
    def code(self) -> str:
        """The stable id, such as `compat.E001`."""
        return code(self.kind, self.severity)

    @property
    def key(self) -> tuple[Kind, str, str | None]:
        """What the finding is about, apart from the values found."""
        return self.kind, self.table, self.object

    @property
    def counts(self) -> bool:
        """Whether the finding is more than information, and not ignored."""
        return self.severity is not Severity.INFO and self.ignored is None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as it stands in the JSON output."""
        result = {
            "code": self.code, "kind": self.kind.value, "severity": self.severity.value, "cause": self.cause.value,
            "app": self.app, "model": self.model, "table": self.table, "object": self.object,
            "expected": self.expected, "actual": self.actual, "message": self.message, "hint": self.hint,
            "fixable": self.fixable, "sql": list(self.sql),
        }  # fmt: skip
        return result | ({"ignored": self.ignored} if self.ignored is not None else {})


Status = Literal["ok", "drift", "unverifiable"]


@dataclass(frozen=True)
class Report:
    """The result of a verification or a repair."""

    status: Status
    database: str
    vendor: str
    tables: int = 0
    missing_tables: tuple[str, ...] = ()
    issues: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def reaches(self, level: Severity) -> bool:
        """Whether a difference that is not ignored is at least as severe as `level`; what was not judged is none."""
        differing = (issue for issue in self.issues if issue.ignored is None and issue.kind is not Kind.UNJUDGED)
        return any(issue.severity.rank >= level.rank for issue in differing)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it stands in the JSON output."""
        return {
            "status": self.status, "database": self.database, "vendor": self.vendor, "tables": self.tables,
            "missing_tables": list(self.missing_tables), "issues": [issue.as_dict() for issue in self.issues],
            "fixed": [issue.as_dict() for issue in self.fixed], "statements": list(self.statements),
            "notes": list(self.notes),
        }  # fmt: skip
