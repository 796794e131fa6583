"""Show a report: to a person, grouped by table, or to a program, as JSON."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from django.core.management.color import Style

from compat.structure.findings import Cause, Finding, Kind, Report, Severity

MARKS = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "NOTICE"}
WORDS = {
    Cause.DRIFT: "the database has drifted",
    Cause.UNAPPLIED: "a migration waits",
    Cause.MISSING: "a migration is missing",
}


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    return json.dumps(report.as_dict(), indent=2, default=str)


def as_text(report: Report, style: Style, *, verbosity: int = 1) -> str:
    """Return the report for a person; information is listed only from verbosity 2 on."""
    return "\n".join(_lines(report, style, verbosity))


def _lines(report: Report, style: Style, verbosity: int) -> Iterator[str]:
    for finding in report.fixed:
        yield style.SUCCESS(f"fixed    {finding.code} {finding.table}: {finding.message}")
    shown = [issue for issue in report.issues if verbosity > 1 or issue.counts or issue.ignored is not None]
    absent = [issue for issue in shown if issue.kind is Kind.MISSING_TABLE]
    for (app, _, _, _), group in groupby(sorted(absent, key=_app), key=_app):
        yield ""
        yield style.MIGRATE_HEADING(f"app {app}")
        yield from _absent(list(group), style)
    others = [issue for issue in shown if issue.kind is not Kind.MISSING_TABLE]
    for table, group in groupby(sorted(others, key=_place), key=lambda finding: finding.table):
        yield ""
        yield style.MIGRATE_HEADING(f"table {table}")
        yield from _group(group, style)
    if report.notes or shown or report.fixed:
        yield ""
    yield from report.notes
    yield _summary(report, style, verbosity)


def _app(finding: Finding) -> tuple[str, str, str, str]:
    return finding.app or "", finding.code, finding.hint, finding.ignored or ""


def _absent(findings: list[Finding], style: Style) -> Iterator[str]:
    """Yield one entry for missing tables of one app that have the same remedy."""
    first = findings[0]
    names = ", ".join(finding.table for finding in findings)
    noun = "table" if len(findings) == 1 else "tables"
    one = replace(first, message=f"{len(findings)} {noun} missing: {names}.")
    yield from _group([one], style)


def _place(finding: Finding) -> tuple[str, int, str]:
    return finding.table, -finding.severity.rank, finding.code


def _group(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Yield the findings of one table; a hint that several share stands once, after the last of them."""
    findings = list(findings)
    for number, finding in enumerate(findings):
        mark = "ignored" if finding.ignored is not None else finding.severity.value
        colour = getattr(style, MARKS[finding.severity])
        cause = "" if finding.cause is Cause.DRIFT else f" ({WORDS[finding.cause]})"
        yield f"  {colour(f'{mark:8}')} {finding.code} {finding.message}{cause}"
        if finding.ignored:
            yield f"           ignored because: {finding.ignored}"
        following = findings[number + 1].hint if number + 1 < len(findings) else None
        if finding.hint and finding.hint != following:
            yield f"           → {finding.hint}"


def _summary(report: Report, style: Style, verbosity: int) -> str:
    counts = {
        level: sum(issue.severity is level and issue.ignored is None for issue in report.issues) for level in Severity
    }
    ignored = sum(issue.ignored is not None for issue in report.issues)
    parts = [f"{number} {level.value}{'' if number == 1 or level is Severity.INFO else 's'}"
             for level, number in counts.items() if number]  # fmt: skip
    parts += [f"{ignored} ignored"] if ignored else []
    found = ", ".join(parts) or "no differences"
    found += " (-v 2 lists what is info)" if counts[Severity.INFO] and verbosity < 2 else ""
    text = f"{report.database} ({report.vendor}): {report.tables} tables compared, {found}."
    return style.SUCCESS(text) if report.status == "ok" else style.ERROR(text)
