"""Tell of each difference whether the database drifted, a migration waits, or the models have no migration yet."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db.migrations.migration import Migration
from django.utils.translation import gettext as _

from compat.structure.comparison import compare
from compat.structure.dialects.base import Dialect
from compat.structure.findings import Cause, Finding, Severity
from compat.structure.project import ModelTable, Project
from compat.structure.schema import Snapshot
from compat.structure.steps import Key

WIDTH_KINDS = frozenset(("type", "sequence"))
"""Kinds that an automatic key of another width leads to."""


def explain(
    dialect: Dialect,
    project: Project,
    owners: Mapping[str, ModelTable],
    actual: Snapshot,
    findings: tuple[Finding, ...],
) -> tuple[Finding, ...]:
    """Return the findings with their causes.

    The database is compared with two earlier states: the migrations recorded as applied, and all migrations.
    What differs from the first has drifted; what differs only from the second waits for a migration; what
    differs from neither is only in the models. Nothing is computed when there is nothing to explain.
    """
    tables = {finding.table for finding in findings if finding.counts}
    if not tables or not (project.unapplied or project.changed):
        return findings
    applied = _against(dialect, project.applied_tables(), tables, actual) if project.unapplied else None
    latest = _against(dialect, project.latest_tables(), tables, actual) if project.changed else None
    causes = (
        _cause(finding, actual, applied, latest) if finding.table in tables else Cause.DRIFT for finding in findings
    )
    return tuple(
        _explained(finding, cause, project, owners[finding.table])
        for finding, cause in zip(findings, causes, strict=True)
    )


def _explained(finding: Finding, cause: Cause, project: Project, owner: ModelTable) -> Finding:
    if cause is Cause.MISSING and finding.kind.name in WIDTH_KINDS and _is_automatic_key(owner, finding):
        hint = _("The app's migrations created the key so, under another DEFAULT_AUTO_FIELD. Nothing needs to be done.")
        return replace(finding, cause=cause, severity=Severity.INFO, hint=finding.hint or hint)
    return replace(finding, cause=cause, hint=finding.hint or _hint(cause, project.unapplied, owner))


def _is_automatic_key(owner: ModelTable, finding: Finding) -> bool:
    """Whether the finding is about a key that no model declares, or about a column that refers to one.

    Its width is that of DEFAULT_AUTO_FIELD when the app's migrations were written.
    """
    field: Any = owner.field(str(finding.object))
    while field is not None and field.remote_field is not None:
        field = field.foreign_related_fields[0]
    return field is not None and field.primary_key and field.auto_created


class _Earlier:
    """The database compared with an earlier state of the models; `unclear`: tables that could not be compared."""

    def __init__(self, known: frozenset[str], differing: frozenset[Key], unclear: frozenset[str]) -> None:
        self.known, self.differing, self.unclear = known, differing, unclear

    def agrees(self, finding: Finding) -> bool:
        """Whether the database equals this earlier state in what the finding is about."""
        if finding.table in self.unclear:
            return False
        return finding.table not in self.known or finding.key not in self.differing


def _against(dialect: Dialect, owners: Iterable[ModelTable], tables: set[str], actual: Snapshot) -> _Earlier:
    chosen = tuple(owner for owner in owners if owner.table in tables and owner.managed)
    by_table = {owner.table: owner for owner in chosen}
    found = compare(dialect.introspection.expected(chosen), actual, dialect.types, by_table)
    doubts = (finding for finding in found if not finding.kind.is_difference)
    unclear = (finding.table for finding in doubts if finding.object == finding.table)
    return _Earlier(
        frozenset(owner.table for owner in chosen), frozenset(finding.key for finding in found), frozenset(unclear)
    )


def _cause(finding: Finding, actual: Snapshot, applied: _Earlier | None, latest: _Earlier | None) -> Cause:
    earlier = applied or latest
    if earlier is not None and not earlier.agrees(finding):
        return Cause.DRIFT
    if applied is not None and finding.table not in applied.known and _exists(actual, finding.table):
        return Cause.DRIFT
    return Cause.MISSING if latest is not None and latest.agrees(finding) else Cause.UNAPPLIED


def _exists(actual: Snapshot, table: str) -> bool:
    return table in actual and actual[table].exists


def _hint(cause: Cause, unapplied: Mapping[str, tuple[Migration, ...]], owner: ModelTable) -> str:
    if cause is Cause.UNAPPLIED:
        unapplied_here = _touching(unapplied.get(owner.app, ()), owner)
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration in unapplied_here)
        return _("Run migrate to apply %(migrations)s.") % {"migrations": names}
    if cause is Cause.MISSING:
        text = _("Run makemigrations %(app)s, then migrate: the model has changed since its last migration.")
        return text % {"app": owner.app}
    return ""


def _touching(migrations: tuple[Migration, ...], owner: ModelTable) -> tuple[Migration, ...]:
    """Return the migrations that name the model, all of them when none does."""
    naming = tuple(m for m in migrations if any(o.references_model(owner.name, owner.app) for o in m.operations))
    return naming or migrations
