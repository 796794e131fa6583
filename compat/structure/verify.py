"""Verify a database: examine it, and say of each finding what would mend it and what stands in the way."""

from collections.abc import Iterable
from dataclasses import replace

from compat.structure import adoption, asking, remedies
from compat.structure.backends import only_looking
from compat.structure.examination import Examination, examine
from compat.structure.findings import Finding, Kind, Report, Severity, Status


def verify(using: str = "default", labels: Iterable[str] = (), *, ignore: bool = True) -> Report:
    """Compare the database with the models of the installed apps, or of those that `labels` name.

    Changes nothing. Rows are asked, where that is short, whether they stand in the way of a repair.
    `ignore=False` counts also what the settings accept. Raises Unverifiable when there is no answer.
    """
    labels = tuple(labels)
    with only_looking(using):
        examination = examine(using, labels)
        adopted = adoption.find(examination.project, labels)
        issues = asking.with_answers(examination, remedies.with_remedies(examination, adopted))
    return report(using, examination, issues if ignore else (replace(issue, ignored=None) for issue in issues))


def report(using: str, examination: Examination, issues: Iterable[Finding]) -> Report:
    """Return the report of an examination."""
    issues = tuple(issues)
    counted = [issue for issue in issues if issue.counts]
    # What could not be compared may hide an error: without one that was found there is no answer.
    doubt = any(issue.kind is Kind.UNJUDGED for issue in counted)
    certain = any(issue.severity is Severity.ERROR for issue in counted)
    status: Status = "ok" if not counted else "unverifiable" if doubt and not certain else "drift"
    missing = (issue for issue in issues if issue.kind is Kind.MISSING_TABLE and issue.counts)
    return Report(
        status=status,
        database=using,
        vendor=examination.backend.connection.vendor,
        tables=examination.tables,
        missing_tables=tuple(issue.table for issue in missing),
        issues=issues,
        notes=tuple(adoption.unrecorded(examination.project, examination.owners, examination.findings)),
    )
