"""Repair a database: apply the steps of a plan in one transaction, and commit only if the structure got better."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.db import DatabaseError, connections, transaction
from django.utils.translation import gettext as _

from compat.database.errors import Failure, RepairBusy
from compat.database.locks import repair_lock
from compat.database.retry import failure_of, retry
from compat.database.stop import Stop
from compat.database.text import first_line
from compat.structure import adoption as adopting
from compat.structure.data_checks import DataChecks, refusal
from compat.structure.errors import RepairFailed
from compat.structure.findings import Finding
from compat.structure.inspection import Inspection, connected_dialect, inspect
from compat.structure.planner import plan_repairs
from compat.structure.plans import Plan
from compat.structure.report import Report
from compat.structure.steps import Blocker, Key, Step
from compat.structure.verification import advise, advised

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
"""How often the transaction is tried while other sessions hold locks."""
ABORTING_FAILURES = frozenset((Failure.LOCK_TIMEOUT, Failure.CONFLICT, Failure.CONNECTION, Failure.READ_ONLY))
"""Failures of one step that end the whole transaction; after others the next steps go on."""


class _RollBack(Exception):
    """The transaction must change nothing because it would bring the differences in the text."""


def apply(plan: Plan) -> Report:
    """Carry out a plan and return what is left.

    Raises StructureError, above all when the database has changed so that other steps are needed.
    """
    return _repaired(plan.using, plan.labels, rewrite=plan.rewrite, approved=frozenset(s.sql for s in plan.steps))


def repair(
    using: str = "default", labels: Iterable[str] = (), *, rewrite: bool = False, stop: Stop | None = None
) -> Report:
    """Plan and apply under one lock: repair what can be repaired without loss, and return what is left.

    `rewrite` allows repairs that rewrite a table. While another repair runs, wait until `stop` is requested, without
    it for a minute. Raises StructureError or StopRequested.
    """
    return _repaired(using, tuple(labels), rewrite=rewrite, stop=stop)


def _repaired(
    using: str,
    labels: tuple[str, ...],
    *,
    rewrite: bool,
    stop: Stop | None = None,
    approved: frozenset[tuple[str, ...]] | None = None,
) -> Report:
    dialect = connected_dialect(using)
    if not dialect.connection.features.can_rollback_ddl:
        text = _("%(database)s cannot roll back a change of the structure, which a repair needs. Nothing was changed.")
        raise RepairFailed(text % {"database": dialect.connection.display_name})
    try:
        with repair_lock(using, stop):
            return _Repairer(using, labels, rewrite=rewrite, stop=stop or Stop(), approved=approved).run()
    except RepairBusy as error:
        raise RepairFailed(str(error)) from error
    except DatabaseError as error:
        if failure_of(error, using) is Failure.READ_ONLY:
            text = _("The database %(alias)s is read-only: nothing was changed.")
            raise RepairFailed(text % {"alias": using}) from error
        text = _("The database %(alias)s could not be repaired: %(error)s.")
        raise RepairFailed(text % {"alias": using, "error": first_line(error)}) from error


@dataclass
class _Outcome:
    """What one transaction did; a transaction that is tried again starts with a new outcome.

    `known` are the results of data checks and refusals, `later` the steps that run outside the transaction, and
    `last` what the database is like afterwards.
    """

    statements: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fixed: tuple[Finding, ...] = ()
    known: dict[Key, Blocker | None] = field(default_factory=dict)
    later: list[Step] = field(default_factory=list)
    last: Inspection | None = None
    recorded: frozenset[str] = frozenset()


class _Repairer:
    """One repair of a database."""

    def __init__(
        self,
        using: str,
        labels: tuple[str, ...],
        *,
        rewrite: bool,
        stop: Stop,
        approved: frozenset[tuple[str, ...]] | None,
    ) -> None:
        self.using, self.labels, self.rewrite, self.stop, self.approved = using, labels, rewrite, stop, approved
        self.first = inspect(using, labels)
        self.dialect = self.first.dialect
        self.adoption = adopting.find(self.first, labels)

    def run(self) -> Report:
        """Migrate apps without tables, repair the others, then migrate those that depend on them; report."""
        with self.dialect.session.ignoring_known_orphans():
            early = adopting.independent(self.first.project, self.adoption)
            adopting.migrate(self.using, early)
            outcome = self._repair() if self._has_work() else _Outcome(last=None if early else self.first)
            late = self._migrate_dependent(self.adoption.absent - early, outcome)
        last = outcome.last if outcome.last and not late else self._inspect()
        left = _keys(last)
        fixed = (*self._migrated(early | late), *(finding for finding in outcome.fixed if finding.key not in left))
        found = advised(last, self.labels, outcome.known)
        statements, notes = tuple(outcome.statements), (*outcome.notes, *found.notes)
        return replace(found, fixed=fixed, statements=statements, notes=notes)

    def _migrate_dependent(self, absent: frozenset[str], outcome: _Outcome) -> frozenset[str]:
        """Migrate the absent apps whose dependencies are recorded now, and record what depends on these in turn.

        When all apps are recorded, `migrate` runs for them too, for the signals that it sends. Return the apps for
        which it ran.
        """
        project, ran = self.first.project, frozenset[str]()
        while ready := {
            app
            for app in absent - ran
            if adopting.dependencies(project, app) & self.adoption.partial <= outcome.recorded
        }:
            adopting.migrate(self.using, ready)
            ran |= ready
            if self.adoption.partial - outcome.recorded:
                outcome.last = self._inspect()
                self._record(outcome.last, outcome)
        if outcome.recorded and outcome.recorded >= self.adoption.partial:
            adopting.migrate(self.using, outcome.recorded)
            ran |= outcome.recorded
        return ran

    def _has_work(self) -> bool:
        eligible = (adopting.is_eligible(finding, self.adoption) for finding in self.first.findings)
        return bool(self.adoption.partial) or any(eligible)

    def _migrated(self, apps: frozenset[str]) -> tuple[Finding, ...]:
        created = apps & self.adoption.absent
        return tuple(finding for finding in self.first.findings if finding.app in created and finding.counts)

    def _inspect(self) -> Inspection:
        """Inspect again; the expected side is known, unless something was missing to build it."""
        expected = self.first.expected
        is_complete = not any(table.unreadable for table in expected.values())
        return inspect(self.using, self.labels, expected if is_complete else None)

    def _repair(self) -> _Outcome:
        what = f"repair of {self.using}"
        outcome = retry(self._transaction, using=[self.using], what=what, stop=self.stop, attempts=MAX_ATTEMPTS)
        if outcome.later:
            self._run_concurrently(outcome)
        return outcome

    def _transaction(self) -> _Outcome:
        outcome = _Outcome()
        try:
            with self.dialect.session.repairing():
                before = self._inspect()
                checks = DataChecks(thorough=True)
                repairs = plan_repairs(before, self.adoption, checks, rewrite=self.rewrite)
                self._require_approval(repairs.steps)
                outcome.known |= {**checks.results, **repairs.conflicts()}
                self._apply([step for step in repairs.steps if not step.concurrent], outcome)
                later = (step for step in repairs.steps if step.concurrent)
                outcome.later = [step for step in later if not any(outcome.known.get(key) for key in step.keys)]
                outcome.fixed = tuple(f for f in advise(before, self.adoption, repairs, checks) if f.counts)
                self._conclude(before, outcome)
        except _RollBack as differences:
            text = _("The repair was rolled back because it would have caused new differences: %(names)s.")
            outcome = _Outcome(statements=outcome.statements, known=outcome.known)
            outcome.notes.append(text % {"names": differences})
            logger.warning(
                "repair of %s rolled back, it would have caused new differences: %s", self.using, differences
            )
        return outcome

    def _require_approval(self, steps: Iterable[Step]) -> None:
        if self.approved is not None and any(step.sql not in self.approved for step in steps):
            text = _("The database %(alias)s has changed since the repair was planned. Plan it again.")
            raise RepairFailed(text % {"alias": self.using})

    def _apply(self, steps: Iterable[Step], outcome: _Outcome) -> None:
        done: set[Key] = set()
        for step in steps:
            if any(outcome.known.get(key) for key in step.keys):
                continue
            try:
                with transaction.atomic(self.using):
                    self._execute(step)
            except DatabaseError as error:
                if failure_of(error, self.using) in ABORTING_FAILURES:
                    raise
                outcome.known |= dict.fromkeys(step.keys, refusal(error))
                continue
            outcome.statements += step.sql
            if new := [key for key in step.keys if key not in done]:
                done.update(new)
                logger.info("repaired %s: %s", step.table, ", ".join(f"{kind} {name}" for kind, _, name in new))

    def _execute(self, step: Step) -> None:
        with connections[self.using].cursor() as cursor:
            for sql in step.sql:
                cursor.execute(sql)

    def _conclude(self, before: Inspection, outcome: _Outcome) -> None:
        """Keep the repair if it caused no new differences, and record the apps that are now complete."""
        after = self._inspect()
        was, left = _keys(before), _keys(after)
        created = {finding.table for finding in before.findings if finding.kind.is_missing_table}
        if worse := {key for key in left - was if key[1] not in created}:
            raise _RollBack(", ".join(sorted(f"{table}.{name}" for _, table, name in worse)))
        outcome.last = after
        self._record(after, outcome)

    def _run_concurrently(self, outcome: _Outcome) -> None:
        """Run steps beside the application's writes; the next run finds what fails here."""
        if connections[self.using].in_atomic_block:
            text = _("Large tables are repaired outside a transaction. Run the repair again outside of one.")
            outcome.notes.append(text)
            return
        for step in outcome.later:
            try:
                self._execute(step)
                outcome.statements += step.sql
            except DatabaseError as error:
                outcome.known |= dict.fromkeys(step.keys, refusal(error))
        outcome.last = self._inspect()
        with transaction.atomic(self.using):
            self._record(outcome.last, outcome)

    def _record(self, after: Inspection, outcome: _Outcome) -> None:
        """Record the migrations of the apps whose structure now equals their end."""
        equal = self.adoption.partial - adopting.unfinished(after.findings) - outcome.recorded
        complete = adopting.recordable(after.project, equal)
        outcome.recorded |= complete
        outcome.notes += adopting.record(after.project, complete)
        if complete:
            outcome.last = None  # recorded migrations change the causes of findings


def _keys(inspection: Inspection) -> set[Key]:
    return {finding.key for finding in inspection.findings if finding.counts}
