"""Render a report as text, grouped by table, or as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from django.core.management.color import Style
from django.utils.translation import gettext, gettext_lazy, ngettext

from compat.database.text import padded
from compat.structure.findings import Cause, Finding, Severity
from compat.structure.report import Report

MARK_WIDTH = 8
COLOURS = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "NOTICE"}
SEVERITIES = {
    Severity.ERROR: gettext_lazy("error"),
    Severity.WARNING: gettext_lazy("warning"),
    Severity.INFO: gettext_lazy("info"),
}
CAUSES = {
    Cause.UNAPPLIED: gettext_lazy("migration not applied"),
    Cause.MISSING: gettext_lazy("migration missing"),
}


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    return json.dumps(report.as_dict(), indent=2, default=str)


def as_text(report: Report, style: Style, *, verbosity: int = 1) -> str:
    """Return the report as text; information is listed from verbosity 2 on."""
    return "\n".join(_lines(report, style, verbosity))


def _lines(report: Report, style: Style, verbosity: int) -> Iterator[str]:
    fixed = padded(gettext("fixed"), MARK_WIDTH)
    for finding in report.fixed:
        yield style.SUCCESS(f"{fixed} {finding.code} {finding.table}: {finding.message}")
    shown = [issue for issue in report.issues if verbosity > 1 or issue.counts or issue.ignored is not None]
    absent = [issue for issue in shown if issue.kind.is_missing_table]
    for (app, _, _, _), group in groupby(sorted(absent, key=_app_and_hint), key=_app_and_hint):
        yield ""
        yield style.MIGRATE_HEADING(gettext("app %(app)s") % {"app": app})
        yield from _missing_tables(list(group), style)
    others = [issue for issue in shown if not issue.kind.is_missing_table]
    for table, group in groupby(sorted(others, key=_table_and_severity), key=lambda finding: finding.table):
        yield ""
        yield style.MIGRATE_HEADING(gettext("table %(table)s") % {"table": table})
        yield from _group(group, style)
    if report.notes or shown or report.fixed:
        yield ""
    yield from report.notes
    yield _summary(report, style, verbosity)


def _app_and_hint(finding: Finding) -> tuple[str, str, str, str]:
    return finding.app or "", finding.code, finding.hint, finding.ignored or ""


def _missing_tables(findings: list[Finding], style: Style) -> Iterator[str]:
    """Yield one entry for the missing tables of one app that have the same hint."""
    first = findings[0]
    names = ", ".join(finding.table for finding in findings)
    text = ngettext("%(count)d table missing: %(names)s.", "%(count)d tables missing: %(names)s.", len(findings))
    yield from _group([replace(first, message=text % {"count": len(findings), "names": names})], style)


def _table_and_severity(finding: Finding) -> tuple[str, int, str]:
    return finding.table, -finding.severity.rank, finding.code


def _group(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Yield the findings of one table; a hint that several share follows the last of them."""
    findings = list(findings)
    for number, finding in enumerate(findings):
        mark = gettext("ignored") if finding.ignored is not None else str(SEVERITIES[finding.severity])
        colour = getattr(style, COLOURS[finding.severity])
        cause = gettext(" (%(cause)s)") % {"cause": CAUSES[finding.cause]} if finding.cause in CAUSES else ""
        yield f"  {colour(padded(mark, MARK_WIDTH))} {finding.code} {finding.message}{cause}"
        if finding.ignored:
            yield "           " + gettext("ignored because: %(reason)s") % {"reason": finding.ignored}
        following = findings[number + 1].hint if number + 1 < len(findings) else None
        if finding.hint and finding.hint != following:
            yield f"           → {finding.hint}"


def _summary(report: Report, style: Style, verbosity: int) -> str:
    found = gettext(", ").join(_counts(report.issues)) or gettext("no differences")
    if verbosity < 2 and any(issue.severity is Severity.INFO and issue.ignored is None for issue in report.issues):
        found += gettext(" (list info with -v 2)")
    names = {"database": report.database, "vendor": report.vendor, "tables": report.tables, "found": found}
    text = gettext("%(database)s (%(vendor)s): %(tables)s tables compared, %(found)s.") % names
    return style.SUCCESS(text) if report.status == "ok" else style.ERROR(text)


def _counts(issues: Iterable[Finding]) -> Iterator[str]:
    """Yield how many findings there are of each severity, and how many are ignored."""
    number = Counter("ignored" if issue.ignored is not None else issue.severity.value for issue in issues)
    if errors := number["error"]:
        yield ngettext("%(count)d error", "%(count)d errors", errors) % {"count": errors}
    if warnings := number["warning"]:
        yield ngettext("%(count)d warning", "%(count)d warnings", warnings) % {"count": warnings}
    if number["info"]:
        yield gettext("%(count)d info") % {"count": number["info"]}
    if number["ignored"]:
        yield gettext("%(count)d ignored") % {"count": number["ignored"]}
