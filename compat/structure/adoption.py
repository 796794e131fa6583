"""Adopt a database whose tables exist although no migration is recorded: a verified `--fake-initial`."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from django.core.management import call_command
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState
from django.utils.translation import gettext

from compat.structure.expected import Owner, Project
from compat.structure.findings import Cause, Finding

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
        text = gettext("%(app)s: the structure is that of its migrations, which are now recorded as applied.")
        notes.append(text % {"app": app})
        if with_code:
            text = gettext("%(app)s: %(migrations)s hold RunPython or RunSQL, which did not run.")
            notes.append(text % {"app": app, "migrations": ", ".join(with_code)})
    return tuple(notes)


def unrecorded(project: Project, owners: Iterable[Owner], findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a note for each app whose waiting migrations have left their effect already, but no record of it.

    Told by what they add, for its absence would be a finding; an app of which only a part was compared tells nothing.
    """
    unsettled = {finding.app for finding in findings if finding.counts and finding.cause is Cause.UNAPPLIED}
    chosen = frozenset(owners)
    partly = {owner.app for owner in project.owners if owner not in chosen} | unsettled | project.without_history
    for app, migrations in project.unapplied.items():
        if app not in partly and any(_adds(project, owner) for owner in chosen if owner.app == app):
            yield _record_it(project.connection.alias, app, migrations)


def _record_it(alias: str, app: str, migrations: Sequence[Migration]) -> str:
    names = ", ".join(migration.name for migration in migrations)
    option = "" if alias == "default" else f" --database {alias}"
    command = f"python manage.py migrate {app} {migrations[-1].name} --fake{option}"
    return gettext(
        "%(app)s: %(migrations)s would be applied by the next migrate, which would fail, for the structure has what "
        "it adds. If it was applied, record it: %(command)s"
    ) % {"app": app, "migrations": names, "command": command}


def _adds(project: Project, owner: Owner) -> bool:
    """Whether the waiting migrations make the owner's table, or add a column, index or constraint to it."""
    key = owner.app, owner.name.lower()
    after, before = project.latest.models.get(key), project.applied.models.get(key)
    return owner.managed and after is not None and (before is None or not _parts(after) <= _parts(before))


def _parts(state: ModelState) -> set[str]:
    rules = (*state.options.get("indexes", ()), *state.options.get("constraints", ()))
    return {*state.fields, *(rule.name for rule in rules)}
