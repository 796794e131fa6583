"""Ask the rows whether they stand in the way of a repair: briefly for a report, thoroughly before a repair."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from django.db import DatabaseError
from django.utils.translation import gettext as _

from compat.structure.examination import Examination, first_line
from compat.structure.findings import Finding, Kind
from compat.structure.obstacles import SAMPLES, obstacle, orphans, rows_to_tell_apart, rows_without_value
from compat.structure.plan import Obstacle
from compat.structure.remedies import Values, needs_rewrite
from compat.structure.waiting import waiting

SECONDS = 2.0
"""How long a report may ask the rows, all findings together."""
Key = tuple[Kind, str, str | None]
Answer = str | None
"""Which rows stand in the way; empty: none does; None: nobody knows."""


def with_answers(
    examination: Examination, findings: Iterable[Finding], known: Mapping[Key, Answer] | None = None
) -> tuple[Finding, ...]:
    """Return the findings with what the rows say to their repair: an obstacle is the hint, and not fixable.

    Large tables are not asked, nor any when the time is up; the hint says so. `known` holds answers given before.
    """
    findings = tuple(findings)
    brief = _Brief(examination, known or {})
    answers = {finding.key: brief.answer(finding) for finding in findings if finding.fixable}
    reasons = obstructed(examination, findings, lambda finding: answers.get(finding.key, ""), rewrite=False)
    unknown = {key for key, answer in answers.items() if answer is None}
    return tuple(_told(finding, reasons.get(finding.key, ""), unknown) for finding in findings)


def obstructed(
    examination: Examination, findings: Iterable[Finding], ask: Callable[[Finding], Answer], *, rewrite: bool
) -> Mapping[Key, str]:
    """Return why findings cannot be repaired now, those that can left out.

    A column that is replaced whole is repaired whole or not at all: one obstacle holds for all its findings.
    """
    findings = tuple(finding for finding in findings if finding.fixable)
    reasons: dict[Key, str] = {}
    places: dict[object, str] = {}
    for finding in findings:
        if finding.rewrite and not rewrite:
            places |= {_place(examination, finding): needs_rewrite()} if finding.kind is Kind.TYPE else {}
        if reason := ask(finding):
            reasons[finding.key] = places[_place(examination, finding)] = reason
    places.pop(None, None)
    shared = ((finding.key, places.get(_place(examination, finding))) for finding in findings)
    found = {key: reason for key, reason in shared if reason} | reasons
    return {**waiting(examination, findings, found, rewrite=rewrite), **found}


def in_the_way(examination: Examination, finding: Finding, seconds: float | None = None) -> Answer:
    """Return which rows stand in the way of the repair; with `seconds`, None when that takes longer.

    Raises DatabaseError when, without a limit, somebody else's lock keeps the rows from being read.
    """
    backend = examination.backend
    try:
        for question in _questions(examination, finding):
            with backend.asking(seconds):
                if answer := _rows(examination, question):
                    return answer
        return ""
    except DatabaseError as error:
        if backend.is_lock_timeout(error) and seconds is None:
            raise
        if seconds is not None and (backend.is_lock_timeout(error) or backend.is_interrupted(error)):
            return None
        text = _("The rows cannot be converted: %(error)s") % {"error": first_line(error)}
        return text if finding.kind is Kind.TYPE else None


class _Brief:
    """Asks for a report: small tables only, and not for long."""

    def __init__(self, examination: Examination, known: Mapping[Key, Answer]) -> None:
        self.examination, self.known = examination, known
        self.until = time.monotonic() + SECONDS

    def answer(self, finding: Finding) -> Answer:
        if finding.key in self.known:
            return self.known[finding.key]
        left = self.until - time.monotonic()
        actual = self.examination.actual.get(finding.table)
        if left <= 0 or (actual is not None and self.examination.backend.is_large(actual)):
            return None if any(_questions(self.examination, finding)) else ""
        return in_the_way(self.examination, finding, left)


def _told(finding: Finding, reason: str, unknown: Iterable[Key]) -> Finding:
    if reason == needs_rewrite():
        return replace(finding, hint=reason, rewrite=True)
    if reason:
        return replace(finding, hint=reason, fixable=False)
    if finding.key not in unknown:
        return finding
    text = _("%(hint)s It works if no row stands in the way: the rows were not asked, for that takes too long.")
    return replace(finding, hint=text % {"hint": finding.hint})


def _questions(examination: Examination, finding: Finding) -> Iterator[Obstacle]:
    if finding.kind is Kind.MISSING_TABLE:
        return
    column = examination.expected[finding.table].column(finding.object)
    users = column and examination.backend.users_of(examination.actual[finding.table], column)
    if users and finding.kind in (Kind.TYPE, Kind.COLLATION):
        yield users
    if question := _question(examination, finding):
        yield question


def _question(examination: Examination, finding: Finding) -> Obstacle | None:
    expected, actual = examination.expected[finding.table], examination.actual[finding.table]
    backend = examination.backend
    column = expected.column(finding.object) if finding.kind is Kind.MISSING_COLUMN else None
    if column and column.needs_value:
        has_filler = Values(examination).filler(finding) is not None
        return (rows_to_tell_apart(backend, expected, actual, column) if has_filler
                else rows_without_value(backend, actual, column))  # fmt: skip
    if finding.kind is Kind.FOREIGN_KEY:
        return orphans(backend, finding, expected, actual, target_is_missing=_has_lost_target(examination, finding))
    return obstacle(backend, finding, expected, actual)


def _has_lost_target(examination: Examination, finding: Finding) -> bool:
    rule = examination.expected[finding.table].rule(finding.kind, finding.object)
    target = rule.target()[0] if rule else ""
    found = examination.actual.get(target)
    return target in examination.expected and (found is None or not found.kind)


def _rows(examination: Examination, question: Obstacle) -> str:
    """Return how many rows stand in the way, which, and how to see them all."""
    backend = examination.backend
    count = backend.rows(f"SELECT count(*) FROM ({question.query}) AS q")[0][0]  # noqa: S608  our own query
    if not count:
        return ""
    sample = backend.rows(f"{question.query} LIMIT {SAMPLES}")
    shown = ", ".join(str(row[0] if len(row) == 1 else row) for row in sample)
    names = {"what": question.describe(count), "sample": shown, "query": question.query}
    return _("%(what)s, such as %(sample)s. To see them all: %(query)s;") % names


def _place(examination: Examination, finding: Finding) -> tuple[str, str] | None:
    """Return the column that a repair of the finding would replace with all that it is; None where it would not."""
    expected = examination.expected.get(finding.table)
    if expected is None:
        return None
    rule, column = expected.rule(finding.kind, finding.object), expected.column(finding.object)
    home = rule.home if rule else column.name.casefold() if column and column.definition else ""
    return (finding.table, home) if home else None
