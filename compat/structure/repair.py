"""Repair a database: plan, look at the data, apply, verify again, and commit only if it got better."""

import logging
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from compat.structure import adoption as adopting
from compat.structure.asking import Answer, Key, in_the_way, obstructed, with_answers
from compat.structure.backends import only_looking
from compat.structure.errors import Unverifiable
from compat.structure.examination import Examination, backend_of, examine, first_line
from compat.structure.findings import Finding, Kind, Report
from compat.structure.locking import alone
from compat.structure.plan import Step
from compat.structure.remedies import eligible, steps, with_remedies
from compat.structure.verify import report

logger = logging.getLogger(__name__)
ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, longer before each further one


class _TakenBack(Exception):
    """The transaction must leave nothing behind; the text names the new differences, if that is why."""


def repair(
    using: str = "default", labels: Iterable[str] = (), *, rewrite: bool = False, dry_run: bool = False
) -> Report:
    """Repair what can be repaired without losing a row or a value, and return what is left.

    `rewrite` allows repairs that rewrite a table. `dry_run` changes nothing: `statements` of the report are
    what a real run would execute. Raises Unverifiable.
    """
    try:
        if dry_run:
            with only_looking(using):
                return _Repair(using, tuple(labels), rewrite=rewrite, dry_run=True).run()
        with alone(using):
            return _Repair(using, tuple(labels), rewrite=rewrite, dry_run=False).run()
    except DatabaseError as error:
        if backend_of(using).is_read_only(error):
            text = _("The database %(alias)s is read-only: nothing was changed.")
            raise Unverifiable(text % {"alias": using}) from error
        text = _("The database %(alias)s could not be repaired: %(error)s.")
        raise Unverifiable(text % {"alias": using, "error": first_line(error)}) from error


class _Repair:
    """One repair, and what it has done so far."""

    def __init__(self, using: str, labels: tuple[str, ...], *, rewrite: bool, dry_run: bool) -> None:
        self.using, self.labels, self.rewrite, self.dry_run = using, labels, rewrite, dry_run
        self.first = examine(using, labels)
        self.adoption = adopting.find(self.first.project, labels)
        self.statements: list[str] = []
        self.notes: list[str] = []
        self.fixed: tuple[Finding, ...] = ()
        self.found: tuple[Finding, ...] = ()
        self.answers: dict[Key, Answer] = {}
        self.blocked: dict[Key, Answer] = {}
        self.recorded: frozenset[str] = frozenset()

    def run(self) -> Report:
        """Adopt and repair: first the apps that have nothing yet, then the damage, then what waited for it."""
        with self.first.backend.tolerating_orphans():
            self._adopt_and_repair()
        return self._report()

    def _adopt_and_repair(self) -> None:
        early = adopting.free(self.first.project, self.adoption)
        self._migrate(early)
        if self.adoption.partial or any(eligible(finding, self.adoption) for finding in self.first.findings):
            self._repair()
        if self.dry_run or self.recorded >= self.adoption.partial:
            self._migrate(self.adoption.absent - early | self.recorded)

    def _examine(self) -> Examination:
        """Look at the database again; what is expected was built already, unless something was missing for it."""
        expected = self.first.expected
        complete = not any(table.unreadable for table in expected.values())
        return examine(self.using, self.labels, expected if complete else None)

    def _migrate(self, apps: frozenset[str]) -> None:
        if self.dry_run:
            self.statements += adopting.migration_sql(self.first.project, apps)
            return
        adopting.migrate(self.using, apps)
        brought = (f for f in self.first.findings if f.app in apps and f.app in self.adoption.absent and f.counts)
        self.fixed += tuple(brought)

    def _repair(self) -> None:
        """Repair in one transaction; try again when somebody else holds a lock for too long."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                later = self._transaction()
                break
            except DatabaseError as error:
                if attempt == ATTEMPTS or not self.first.backend.is_lock_timeout(error):
                    raise
                self.statements, self.answers, self.blocked = [], {}, {}
                logger.info("repair of %s waits for a lock, attempt %d: %s", self.using, attempt, first_line(error))
                time.sleep(PAUSE * attempt * random.uniform(0.5, 1.5))  # noqa: S311  jitter, no secret
        if later:
            self._apply_concurrent(later)

    def _transaction(self) -> list[Step]:
        """Plan and apply; return the steps that must run outside of a transaction."""
        try:
            with self.first.backend.repairing():
                before = self._examine()
                plan = steps(before, self._unobstructed(before))
                if self.dry_run:
                    self.statements += [sql for step in (*_within(plan), *_outside(plan)) for sql in step.sql]
                    raise _TakenBack
                self._apply(_within(plan))
                self._conclude(before, self._examine())
                return _outside(plan)
        except _TakenBack as new:
            if str(new):
                text = _("The repair was taken back: the repair would have brought new differences: %(names)s.")
                self.notes.append(text % {"names": new})
                logger.warning("repair of %s was taken back, for it brought new differences: %s", self.using, new)
            return []

    def _apply_concurrent(self, plan: Sequence[Step]) -> None:
        """Run what a large table needs beside the application's writes; what fails is found by the next run."""
        connection = self.first.backend.connection
        if connection.in_atomic_block:
            text = _("Large tables are repaired outside of a transaction: run the repair again, outside.")
            self.notes.append(text)
            return
        for step in plan:
            try:
                with connection.cursor() as cursor:
                    for sql in step.sql:
                        cursor.execute(sql)
                self.statements += step.sql
            except DatabaseError as error:
                self._refused(step, error)
        after = self._examine()
        with transaction.atomic(self.using):
            self._record(after)

    def _unobstructed(self, before: Examination) -> list[Finding]:
        """Return the findings to repair, after looking at the rows that stand in the way."""
        findings = [finding for finding in with_remedies(before, self.adoption) if finding.fixable]
        self.blocked |= obstructed(before, findings, lambda f: self._answer(before, f), rewrite=self.rewrite)
        light = (finding for finding in findings if self.rewrite or not finding.rewrite)
        return [f for f in light if f.key not in self.blocked and eligible(f, self.adoption)]

    def _answer(self, before: Examination, finding: Finding) -> str | None:
        if not eligible(finding, self.adoption) or (finding.rewrite and not self.rewrite):
            return ""
        self.answers[finding.key] = in_the_way(before, finding) or ""
        return self.answers[finding.key]

    def _apply(self, plan: Sequence[Step]) -> None:
        connection = self.first.backend.connection
        done: set[object] = set()
        for step in plan:
            if any(finding.key in self.blocked for finding in step.findings):
                continue
            try:
                with transaction.atomic(self.using), connection.cursor() as cursor:
                    for sql in step.sql:
                        cursor.execute(sql)
            except DatabaseError as error:
                if self.first.backend.is_lock_timeout(error) or self.first.backend.is_read_only(error):
                    raise
                self._refused(step, error)
                continue
            self.statements += step.sql
            if fresh := [finding for finding in step.findings if finding.key not in done]:
                done.update(finding.key for finding in fresh)
                what = ", ".join(f"{finding.kind} {finding.object}" for finding in fresh)
                logger.info("repaired %s: %s", step.table, what)

    def _refused(self, step: Step, error: DatabaseError) -> None:
        details = (line.removeprefix("DETAIL:") for line in str(error).splitlines() if line.startswith("DETAIL:"))
        reason = _("The database refused: %(error)s.") % {"error": first_line(error)}
        reason += "".join(details).replace("  ", " ")
        self.blocked |= {finding.key: reason for finding in step.findings}

    def _conclude(self, before: Examination, after: Examination) -> None:
        """Keep the repair if it left fewer findings and brought none; record the apps that are now complete."""
        was, left = _keys(before), _keys(after)
        absent = {finding.table for finding in before.findings if finding.kind is Kind.MISSING_TABLE}
        if worse := {key for key in left - was if key[1] not in absent}:
            raise _TakenBack(", ".join(sorted(f"{table}.{name}" for _, table, name in worse)))
        self.found = tuple(finding for finding in with_remedies(before, self.adoption) if finding.counts)
        self._record(after)

    def _record(self, after: Examination) -> None:
        """Record the migrations of the apps whose structure is now that of their migrations."""
        unfinished = {finding.app for finding in after.findings if finding.counts}
        complete = self.adoption.partial - unfinished - self.recorded
        self.recorded |= complete
        self.notes += adopting.record(after.project, complete)

    def _report(self) -> Report:
        last = self._examine()
        issues = with_remedies(last, adopting.find(last.project, self.labels))
        told = with_answers(last, issues, self.answers | self.blocked)
        left = _keys(last)
        fixed = self.fixed + tuple(finding for finding in self.found if finding.key not in left)
        result = report(self.using, last, told)
        return replace(result, fixed=fixed, statements=tuple(self.statements), notes=(*self.notes, *result.notes))


def _within(plan: Iterable[Step]) -> list[Step]:
    return [step for step in plan if not step.concurrent]


def _outside(plan: Iterable[Step]) -> list[Step]:
    return [step for step in plan if step.concurrent]


def _keys(examination: Examination) -> set[tuple[Kind, str, str | None]]:
    return {finding.key for finding in examination.findings if finding.counts}
