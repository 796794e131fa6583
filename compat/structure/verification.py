"""Verify and plan: inspect a database and say of each finding what would repair it and what blocks the repair."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from django.db import DatabaseError
from django.utils.translation import gettext as _

from compat.database.text import first_line
from compat.structure import adoption as adopting
from compat.structure.adoption import Adoption, is_eligible, is_migrated_by_fix
from compat.structure.data_checks import DataChecks
from compat.structure.dialects import without_creating
from compat.structure.errors import RepairFailed
from compat.structure.findings import Cause, Finding
from compat.structure.inspection import Inspection, inspect
from compat.structure.planner import Repairs, plan_repairs
from compat.structure.plans import Plan
from compat.structure.report import Report, report
from compat.structure.steps import NEEDS_REWRITE, Blocker, Key, Reason


def verify(using: str = "default", labels: Iterable[str] = (), *, ignore: bool = True) -> Report:
    """Compare the database with the models of the installed apps, or of those that `labels` name.

    Changes nothing. Rows of small tables are checked for conflicts with repairs, for a short time.
    `ignore=False` also counts what the settings accept. Raises Unverifiable when there is no answer.
    """
    labels = tuple(labels)
    with without_creating(using):
        found = advised(inspect(using, labels), labels, {})
    return found if ignore else found.without_ignoring()


def plan(using: str = "default", labels: Iterable[str] = (), rewrite: bool = False) -> Plan:  # noqa: FBT001, FBT002
    """Plan the repair of a database; changes nothing.

    All rows are checked for conflicts. `rewrite` allows steps that rewrite a table. Raises StructureError.
    """
    labels = tuple(labels)
    try:
        with without_creating(using):
            return _plan(using, labels, rewrite=rewrite)
    except DatabaseError as error:
        text = _("The repair of the database %(alias)s could not be planned: %(error)s.")
        raise RepairFailed(text % {"alias": using, "error": first_line(error)}) from error


def _plan(using: str, labels: tuple[str, ...], *, rewrite: bool) -> Plan:
    inspection = inspect(using, labels)
    project, adoption = inspection.project, adopting.find(inspection, labels)
    checks = DataChecks(thorough=True)
    repairs = plan_repairs(inspection, adoption, checks, rewrite=rewrite)
    before = adopting.independent(project, adoption)
    return Plan(
        using,
        labels,
        rewrite,
        report(inspection, advise(inspection, adoption, repairs, checks)),
        repairs.steps,
        repairs.blocked,
        adopting.migration_sql(project, before),
        adopting.migration_sql(project, adoption.absent - before),
    )


def advised(inspection: Inspection, labels: tuple[str, ...], known: Mapping[Key, Blocker | None]) -> Report:
    """Return the report with the repair of each finding; `known` are data checks and refusals from before."""
    adoption, checks = adopting.find(inspection, labels), DataChecks(thorough=False, known=known)
    repairs = plan_repairs(inspection, adoption, checks, rewrite=False)
    return report(inspection, advise(inspection, adoption, repairs, checks))


def advise(inspection: Inspection, adoption: Adoption, repairs: Repairs, checks: DataChecks) -> Iterator[Finding]:
    """Yield the findings, each with its repair and what blocks it."""
    for finding in inspection.findings:
        if is_migrated_by_fix(finding, adoption):
            yield replace(finding, fixable=True, hint=_migration_hint(inspection, finding))
        elif not is_eligible(finding, adoption):
            yield finding
        elif finding.key in repairs.proposals:
            yield _with_repair(finding, repairs, is_unchecked=finding.key in checks.unchecked)
        else:
            yield _with_manual_repair(inspection, finding, repairs.blocked[finding.key], checks)


def _with_repair(finding: Finding, repairs: Repairs, *, is_unchecked: bool) -> Finding:
    """Return a finding with the repair that its kind has, whether blocked or not."""
    blocker = repairs.blocked.get(finding.key)
    needs_rewrite = repairs.proposals[finding.key].needs_rewrite or blocker == NEEDS_REWRITE
    fixable = blocker in (None, NEEDS_REWRITE)
    hint = _("Run verify_structure --fix.")
    if blocker or needs_rewrite:
        hint = str(blocker or NEEDS_REWRITE)
    if fixable and finding.cause is Cause.DRIFT and finding.hint:
        hint = finding.hint
    if is_unchecked and fixable:
        text = _("%(hint)s Not checked against the data (the table is large or time ran out); --fix will check.")
        hint = text % {"hint": hint}
    return replace(
        finding, fixable=fixable, needs_rewrite=needs_rewrite, sql=repairs.sql(finding.key), hint=hint
    )  # fmt: skip


def _with_manual_repair(inspection: Inspection, finding: Finding, blocker: Blocker, checks: DataChecks) -> Finding:
    """Return a finding that has no steps, with the statements for a person and the rows in conflict with them."""
    if blocker.reason is not Reason.NO_REPAIR or finding.hint:
        sql = blocker.facts.get("statements", ())
        return replace(finding, hint=str(blocker) or finding.hint, sql=sql)
    repair = inspection.repair(finding)
    manual = finding.kind.manual_repair(repair)
    if manual is None:
        hint = _("Fix manually. The repair would have to drop something, which --fix never does.")
        return replace(finding, hint=hint)
    if finding.counts and (conflict := checks.blocker(repair, will_run=False)):
        text = _("Correct the rows first: %(conflict)s Then fix manually: %(statements)s")
        return replace(finding, hint=text % {"conflict": conflict, "statements": manual}, sql=manual.sql)
    hint = _("Fix manually (--fix never drops anything): %(statements)s") % {"statements": manual}
    return replace(finding, hint=hint, sql=manual.sql)


def _migration_hint(inspection: Inspection, finding: Finding) -> str:
    places = ", ".join(inspection.actual[finding.table].elsewhere) if finding.table in inspection.actual else ""
    if not places:
        return _("Run verify_structure --fix, or migrate %(app)s.") % {"app": finding.app}
    return _(
        "A table of that name is in the schema %(places)s. If it is this one, put its schema first on the search "
        "path. If not, run verify_structure --fix, or migrate %(app)s."
    ) % {"places": places, "app": finding.app}
