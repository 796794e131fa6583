"""The result of a verification or a repair."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from compat.structure import adoption
from compat.structure.findings import Finding, Severity
from compat.structure.inspection import Inspection

Status = Literal["ok", "drift", "unverifiable"]


@dataclass(frozen=True)
class Report:
    """The result of a verification or a repair; `statements` are those that a repair ran, or would run.

    `error` says why there is no verdict.
    """

    status: Status
    database: str
    vendor: str
    tables: int = 0
    issues: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None

    @property
    def missing_tables(self) -> tuple[str, ...]:
        """The missing tables that Django manages."""
        return tuple(issue.table for issue in self.issues if issue.kind.is_missing_table and issue.counts)

    @property
    def history(self) -> tuple[Finding, ...]:
        """The findings about recorded migrations, such as those of a newer release."""
        return tuple(issue for issue in self.issues if issue.kind.is_about_history and issue.counts)

    def reaches(self, level: Severity) -> bool:
        """Whether a difference that is not ignored is at least as severe as `level`."""
        differences = (issue for issue in self.issues if issue.ignored is None and issue.kind.is_difference)
        return any(issue.severity.rank >= level.rank for issue in differences)

    def without_ignoring(self) -> "Report":
        """Return the report with the findings counted that the settings accept."""
        issues = tuple(replace(issue, ignored=None) for issue in self.issues)
        return replace(self, issues=issues, status=_status(issues))

    def as_dict(self) -> dict[str, Any]:
        """Return the report of the JSON output."""
        return {
            "status": self.status, "database": self.database, "vendor": self.vendor, "tables": self.tables,
            "missing_tables": list(self.missing_tables), "issues": [issue.as_dict() for issue in self.issues],
            "fixed": [issue.as_dict() for issue in self.fixed], "statements": list(self.statements),
            "notes": list(self.notes),
        } | ({"error": self.error} if self.error is not None else {})  # fmt: skip


def report(inspection: Inspection, issues: Iterable[Finding]) -> Report:
    """Return the report of an inspection."""
    issues, connection = tuple(issues), inspection.dialect.connection
    return Report(
        status=_status(issues),
        database=connection.alias,
        vendor=connection.vendor,
        tables=inspection.managed_tables,
        issues=issues,
        notes=tuple(adoption.unrecorded(inspection.project, inspection.tables, inspection.findings)),
    )


def _status(issues: Iterable[Finding]) -> Status:
    """Return the verdict: what could not be compared may hide an error, and without one there is no answer."""
    counted = [issue for issue in issues if issue.counts]
    if not counted:
        return "ok"
    has_doubt = any(not issue.kind.is_difference for issue in counted)
    has_error = any(issue.severity is Severity.ERROR for issue in counted)
    return "unverifiable" if has_doubt and not has_error else "drift"
