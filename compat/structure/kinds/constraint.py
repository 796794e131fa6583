"""What the kinds about constraints and indexes have in common."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from compat.structure.constraints import Constraint
from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.steps import Step


class ConstraintKind(Kind):
    """A constraint or index is missing, extra, different in meaning, or in another state."""

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.matching.pairs:
            if expected.kind == self.name:
                yield from self._compare(sides, expected, actual)
        for constraint in sides.matching.missing:
            if constraint.kind == self.name:
                severity = self.missing_severity(sides, constraint)
                message = _("The %(kind)s %(what)s is missing.") % {"kind": constraint.noun, "what": _what(constraint)}
                yield self.finding(severity, sides.name, message, constraint.name, constraint.describe())
        for constraint in sides.matching.extra:
            if constraint.kind == self.name:
                facts = {"kind": constraint.noun, "name": constraint.name, "what": _what(constraint)}
                message = _("No model has the %(kind)s %(name)s %(what)s.") % facts
                severity = self.extra_severity(sides, constraint)
                yield self.finding(severity, sides.name, message, constraint.name, None, constraint.describe())

    def _compare(self, sides: Sides, expected: Constraint, actual: Constraint) -> Iterator[Finding]:
        facts: dict[str, Any] = {"kind": actual.noun, "name": actual.name}
        if expected.signature != actual.signature:
            severity = self.difference_severity(expected, actual)
            facts |= {"actual": actual.describe(), "expected": expected.describe()}
            message = _("The %(kind)s %(name)s is %(actual)s, not %(expected)s.") % facts
        elif expected.state() != actual.state():
            severity = self.state_severity(expected, actual)
            facts |= {"what": _what(actual), "state": _state(expected, actual)}
            message = _("The %(kind)s %(name)s %(what)s is %(state)s.") % facts
        else:
            return
        described = expected.describe(with_state=True), actual.describe(with_state=True)
        yield self.finding(severity, sides.name, message, expected.name, *described)

    def missing_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        """Return how bad it is that the constraint is missing."""
        return Severity.ERROR

    def extra_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        """Return how bad it is that no model has the constraint."""
        return Severity.INFO

    def difference_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        """Return how bad a different meaning is."""
        return Severity.ERROR

    def state_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        """Return how bad another state is."""
        return Severity.WARNING

    def needs(self, repair: Repair) -> Iterator[tuple[str, str]]:
        constraint, table = wanted(repair), repair.sides.name
        for column in repair.sides.expected.columns.values():
            if constraint is not None and constraint.mentions(column.name):
                yield table, column.name

    def steps(self, repair: Repair) -> Sequence[Step]:
        constraint = wanted(repair)
        return repair.dialect.ddl.restore_constraint(repair.sides, constraint) if constraint else ()

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        constraint, ddl = wanted(repair), repair.dialect.ddl
        if constraint is not None:
            return ddl.replace_constraint(repair.sides, constraint)
        extra = repair.sides.actual.constraint(self.name, repair.finding.object)
        return ddl.drop_constraint(repair.sides, extra) if extra else None

    def inline_column(self, repair: Repair) -> str:
        constraint = wanted(repair)
        return constraint.inline_column if constraint else super().inline_column(repair)


def wanted(repair: Repair) -> Constraint | None:
    """Return the expected constraint that a finding is about; None for an extra one."""
    return repair.sides.expected.constraint(repair.finding.kind.name, repair.finding.object)


def columns_exist(repair: Repair, constraint: Constraint) -> bool:
    """Whether all columns of the constraint exist; a column to be added has no values in conflict."""
    sides = repair.sides
    return all(name in sides.actual.columns or name not in sides.expected.columns for name in constraint.columns)


def _what(constraint: Constraint) -> str:
    text = constraint.describe()
    return _("on %(columns)s") % {"columns": text} if constraint.columns else text


def _state(expected: Constraint, actual: Constraint) -> str:
    wanted_state, found = expected.state(), actual.state()
    differing = sorted(name for name in {**wanted_state, **found} if wanted_state.get(name) != found.get(name))
    return ", ".join(
        _(found[name]) if found.get(name) else _("not %(state)s") % {"state": _(wanted_state[name])}
        for name in differing
    )
