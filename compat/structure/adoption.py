"""Adopt a database whose tables exist although no migration is recorded: a verified `--fake-initial`."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from django.core.management import call_command
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.recorder import MigrationRecorder

from compat.structure.expected import Project

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adoption:
    """The apps without recorded migrations: `absent` have no table yet, `partial` have some or all."""

    absent: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()

    @property
    def apps(self) -> frozenset[str]:
        """All of them."""
        return self.absent | self.partial


def find(project: Project, labels: Iterable[str] = ()) -> Adoption:
    """Return the apps to adopt, among those that `labels` name; a single model adopts nothing."""
    labels = tuple(labels)
    candidates = {app for app in project.without_history if not labels or app in labels}
    if not candidates:
        return Adoption()
    backend_names = {name.casefold() for name in project.connection.introspection.table_names(include_views=True)}
    partial = {
        owner.app
        for owner in project.owners
        if owner.managed and owner.app in candidates and owner.table.rpartition(".")[2].casefold() in backend_names
    }
    return Adoption(frozenset(candidates - partial), frozenset(partial))


def free(project: Project, adoption: Adoption) -> frozenset[str]:
    """Return the absent apps that can be migrated before the partly present ones are recorded."""
    graph = project.loader.graph
    return frozenset(
        app
        for app in adoption.absent
        if not {label for leaf in graph.leaf_nodes(app) for label, _ in graph.forwards_plan(leaf)} & adoption.partial
    )


def migrate(using: str, apps: Iterable[str]) -> None:
    """Run `migrate` for these apps; for an app with nothing to apply it sends the signals that end a migration."""
    for app in sorted(apps):
        call_command("migrate", app, database=using, verbosity=0, interactive=False, stdout=StringIO())
        logger.info("migrated %s", app)


def migration_sql(project: Project, apps: Iterable[str]) -> tuple[str, ...]:
    """Return the SQL of the migrations that `migrate` would apply."""
    targets = [leaf for app in sorted(apps) for leaf in project.loader.graph.leaf_nodes(app)]
    plan = [(migration, False) for migration, _ in project.executor.migration_plan(targets)]
    return tuple(project.loader.collect_sql(plan)) if plan else ()  # type: ignore[attr-defined]


def record(project: Project, apps: Iterable[str]) -> tuple[str, ...]:
    """Record the migrations of these apps as applied, for the structure equals their end state; return notes."""
    recorder = MigrationRecorder(project.connection)
    recorder.ensure_schema()
    notes = []
    for app in sorted(apps):
        migrations = project.unapplied.get(app, ())
        for migration in migrations:
            recorder.record_applied(migration.app_label, migration.name)
            for label, name in migration.replaces:
                recorder.record_applied(label, name)
        logger.info("recorded as applied: %s", ", ".join(f"{app}.{migration.name}" for migration in migrations))
        with_code = [m.name for m in migrations if any(isinstance(o, RunPython | RunSQL) for o in m.operations)]
        notes.append(f"{app}: the structure is that of its migrations, which are now recorded as applied.")
        if with_code:
            notes.append(f"{app}: {', '.join(with_code)} hold RunPython or RunSQL, which did not run.")
    return tuple(notes)
