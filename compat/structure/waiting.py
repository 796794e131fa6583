"""Which repairs wait for another one: a rule, or a default, needs its column, in its type."""

from collections.abc import Iterable, Iterator, Mapping

from django.utils.translation import gettext as _

from compat.structure.examination import Examination
from compat.structure.findings import Finding, Kind
from compat.structure.remedies import needs_rewrite
from compat.structure.snapshot import Table, names

Key = tuple[Kind, str, str | None]
TYPED = (Kind.CHECK, Kind.FOREIGN_KEY, Kind.DEFAULT, Kind.MISSING_COLUMN)
"""What cannot be made on a column of a type that is too different."""


def waiting(
    examination: Examination, findings: Iterable[Finding], reasons: Mapping[Key, str], *, rewrite: bool
) -> Mapping[Key, str]:
    """Return why findings wait: their columns stay missing, or as they are, for `reasons` or without `rewrite`."""
    findings = tuple(findings)
    absent: dict[tuple[str, str], str] = {}
    retyped: dict[tuple[str, str], str] = {}
    later = needs_rewrite()
    for finding in findings:
        reason = reasons.get(finding.key) or (later if finding.rewrite and not rewrite else "")
        if reason and finding.kind is Kind.MISSING_COLUMN:
            absent[_column(finding.table, str(finding.object))] = reason
        elif reason and finding.kind is Kind.TYPE and _clashes(examination, finding):
            retyped[_column(finding.table, str(finding.object))] = reason
    found: dict[Key, str] = {}
    for finding in findings:
        blocked = absent | retyped if finding.kind in TYPED else absent
        for column in _needed(examination, finding) if blocked else ():
            if why := blocked.get(column):
                found[finding.key] = why if why == later else _waits(column[1], why)
    return found


def _waits(column: str, reason: str) -> str:
    return _("It waits for the column %(column)s: %(reason)s") % {"column": column, "reason": reason}


def _needed(examination: Examination, finding: Finding) -> Iterator[tuple[str, str]]:
    expected = examination.expected.get(finding.table)
    rule = expected.rule(finding.kind, finding.object) if expected else None
    if finding.kind is Kind.DEFAULT:
        yield _column(finding.table, str(finding.object))
    if expected and finding.kind is Kind.MISSING_COLUMN:
        yield from _computed_from(expected, finding)
    if expected is None or rule is None:
        return
    yield from (_column(finding.table, each.name) for each in expected.columns.values() if rule.mentions(each.name))
    if rule.kind is Kind.FOREIGN_KEY:
        target, columns = rule.target()
        yield from (_column(target, name) for name in columns)


def _computed_from(expected: Table, finding: Finding) -> Iterator[tuple[str, str]]:
    column = expected.column(finding.object)
    expression = (column.generated if column else None) or ""
    others = (each.name for each in expected.columns.values() if each is not column)
    yield from (_column(finding.table, name) for name in others if names(expression, name))


def _column(table: str, name: str) -> tuple[str, str]:
    return table, name.casefold()


def _clashes(examination: Examination, finding: Finding) -> bool:
    return examination.backend.clashes(str(finding.expected), str(finding.actual))
