"""Say of each difference whether the database drifted, a migration waits, or the models have no migration yet."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db.migrations.migration import Migration

from compat.structure.backends.base import Backend
from compat.structure.compare import compare
from compat.structure.expected import Owner, Project
from compat.structure.findings import Cause, Finding, Kind
from compat.structure.snapshot import Snapshot

Key = tuple[Kind, str, str | None]


def explain(
    backend: Backend, project: Project, owners: Iterable[Owner], actual: Snapshot, findings: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Return the findings with their causes.

    The database is compared with two earlier states: the migrations recorded as applied, and all migrations.
    What differs from the first has drifted; what differs only from the second waits for a migration; what
    differs from neither is known to the models alone. Nothing is computed when there is nothing to explain.
    """
    tables = {finding.table for finding in findings if finding.counts}
    if not tables or not (project.unapplied or project.changed):
        return findings
    applied = _against(backend, project.applied_owners(), tables, actual) if project.unapplied else None
    latest = _against(backend, project.latest_owners(), tables, actual) if project.changed else None
    causes = (_cause(finding, actual, applied, latest) for finding in findings)
    apps = {owner.table: owner for owner in owners}
    return tuple(
        replace(finding, cause=cause, hint=finding.hint or _hint(cause, project.unapplied, apps[finding.table]))
        for finding, cause in zip(findings, causes, strict=True)
    )


class _Earlier:
    """The database compared with an earlier state of the models."""

    def __init__(self, known: frozenset[str], differing: frozenset[Key]) -> None:
        self.known, self.differing = known, differing

    def agrees(self, finding: Finding) -> bool:
        """Whether the database is as this earlier state says, in what the finding is about."""
        return finding.table not in self.known or finding.key not in self.differing


def _against(backend: Backend, owners: Iterable[Owner], tables: set[str], actual: Snapshot) -> _Earlier:
    chosen = tuple(owner for owner in owners if owner.table in tables and owner.managed)
    declared = {owner.table: owner.declared for owner in chosen}
    found = compare(backend.expected(chosen), actual, backend.judge_type, declared)
    return _Earlier(frozenset(owner.table for owner in chosen), frozenset(finding.key for finding in found))


def _cause(finding: Finding, actual: Snapshot, applied: _Earlier | None, latest: _Earlier | None) -> Cause:
    earlier = applied or latest
    if earlier is not None and not earlier.agrees(finding):
        return Cause.DRIFT
    if applied is not None and finding.table not in applied.known and _exists(actual, finding.table):
        return Cause.DRIFT
    return Cause.MISSING if latest is not None and latest.agrees(finding) else Cause.UNAPPLIED


def _exists(actual: Snapshot, table: str) -> bool:
    return table in actual and bool(actual[table].kind)


def _hint(cause: Cause, unapplied: Mapping[str, tuple[Migration, ...]], owner: Owner) -> str:
    if cause is Cause.UNAPPLIED:
        waiting = _touching(unapplied.get(owner.app, ()), owner)
        return f"Run migrate: {', '.join(f'{m.app_label}.{m.name}' for m in waiting)} is not applied."
    if cause is Cause.MISSING:
        return f"Run makemigrations {owner.app}, then migrate: the model has changed since its last migration."
    return ""


def _touching(migrations: tuple[Migration, ...], owner: Owner) -> tuple[Migration, ...]:
    """Return the migrations that name the owner's model; all when none does."""
    naming = tuple(m for m in migrations if any(o.references_model(owner.name, owner.app) for o in m.operations))
    return naming or migrations
