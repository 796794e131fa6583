"""Adopt a database whose tables exist although no migration is recorded: `--fake-initial`, verified."""

import logging
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from django.core.management import CommandError, call_command
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.state import ModelState
from django.utils.translation import gettext

from compat.database.text import one_line
from compat.structure.errors import RepairFailed
from compat.structure.findings import Cause, Finding, Severity
from compat.structure.inspection import Inspection
from compat.structure.kinds.missing_table import renamed_table
from compat.structure.names import schema_and_table
from compat.structure.project import ModelTable, Project

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adoption:
    """The apps without recorded migrations: `absent` have no table yet, `partial` have some or all.

    `renamed` seem to have their tables under other names, so that their migrations would add empty ones.
    """

    absent: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()


def find(inspection: Inspection, labels: Iterable[str] = ()) -> Adoption:
    """Return the apps to adopt among those that `labels` name; the label of a model adopts nothing."""
    labels, project = tuple(labels), inspection.project
    candidates = {app for app in project.without_history if not labels or app in labels}
    candidates = {app for app in candidates if not dependencies(project, app) & project.newer.keys()}
    if not candidates:
        return Adoption()
    same = str.casefold if project.connection.features.ignores_table_name_case else str
    existing = {same(name) for name in project.connection.introspection.table_names(include_views=True)}
    partial = {
        table.app
        for table in project.tables
        if table.managed and table.app in candidates and same(schema_and_table(table.table)[1]) in existing
    }
    renamed = _renamed(inspection, candidates - partial)
    waiting = {app for app in candidates - partial if dependencies(project, app) & renamed}
    return Adoption(frozenset(candidates - partial - waiting), frozenset(partial), renamed)


def _renamed(inspection: Inspection, apps: Container[str]) -> frozenset[str]:
    """Return the apps of which a missing table seems to exist under another name."""
    missing = (finding for finding in inspection.findings if finding.kind.is_missing_table and finding.counts)
    return frozenset(f.app or "" for f in missing if f.app in apps and renamed_table(inspection.repair(f)))


def independent(project: Project, adoption: Adoption) -> frozenset[str]:
    """Return the absent apps whose migrations depend on no app with some tables; they can be migrated first."""
    return frozenset(app for app in adoption.absent if not dependencies(project, app) & adoption.partial)


def dependencies(project: Project, app: str) -> frozenset[str]:
    """Return the apps whose migrations an app's migrations need, and the app itself."""
    graph = project.loader.graph
    return frozenset(label for leaf in graph.leaf_nodes(app) for label, _ in graph.forwards_plan(leaf)) | {app}


def recordable(project: Project, complete: frozenset[str]) -> frozenset[str]:
    """Return the complete apps of which every migration has all that it depends on, recorded or to be recorded."""
    graph, unapplied = project.loader.graph, project.unapplied

    def waits(app: str) -> bool:
        needed = {key for migration in unapplied.get(app, ()) for key in graph.forwards_plan((app, migration.name))}
        missing = {label for label, name in needed if name in {item.name for item in unapplied.get(label, ())}}
        return not missing <= complete

    while waiting := frozenset(filter(waits, complete)):
        complete -= waiting
    return complete


def migrate(using: str, apps: Iterable[str]) -> None:
    """Run `migrate` for these apps, which also sends the signals after a migration."""
    for app in sorted(apps):
        try:
            call_command("migrate", app, database=using, verbosity=0, interactive=False, stdout=StringIO())
        except (CommandError, InconsistentMigrationHistory) as error:
            text = gettext("The migrations of %(app)s could not be run: %(error)s")
            raise RepairFailed(text % {"app": app, "error": one_line(error)}) from error
        logger.info("migrated %s", app)


def migration_sql(project: Project, apps: Iterable[str]) -> tuple[str, ...]:
    """Return the SQL of the migrations that `migrate` would apply."""
    targets = [leaf for app in sorted(apps) for leaf in project.loader.graph.leaf_nodes(app)]
    plan = [(migration, False) for migration, _ in project.executor.migration_plan(targets)]
    return tuple(project.loader.collect_sql(plan)) if plan else ()  # type: ignore[attr-defined]


def record(project: Project, apps: frozenset[str]) -> tuple[str, ...]:
    """Record the migrations of these apps as applied, because the structure equals their end state; return notes."""
    notes: list[str] = []
    if apps:
        project.executor.recorder.ensure_schema()
    for app in sorted(apps):
        migrations = project.unapplied.get(app, ())
        for migration in migrations:
            for label, name in (*migration.replaces, (app, migration.name)):
                project.executor.recorder.record_applied(label, name)
        project.executor.check_replacements()
        logger.info("recorded as applied: %s", ", ".join(f"{app}.{migration.name}" for migration in migrations))
        with_code = [m.name for m in migrations if any(isinstance(o, RunPython | RunSQL) for o in m.operations)]
        text = gettext("%(app)s: the structure equals the end of its migrations, which are now recorded as applied.")
        notes.append(text % {"app": app})
        if with_code:
            text = gettext("%(app)s: RunPython or RunSQL in %(migrations)s did not run.")
            notes.append(text % {"app": app, "migrations": ", ".join(with_code)})
    return tuple(notes)


def unfinished(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the apps that differ from the end of their migrations; an accepted difference is one too."""
    return frozenset(finding.app or "" for finding in findings if finding.severity is not Severity.INFO)


def unrecorded(project: Project, tables: Iterable[ModelTable], findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a note for each app whose unapplied migrations already had their effect on the database.

    Only migrations that add something can be judged: without it there would be a finding. An app of which only a
    part was compared is skipped.
    """
    unsettled = {finding.app for finding in findings if finding.counts and finding.cause is Cause.UNAPPLIED}
    compared = frozenset(tables)
    skipped = {table.app for table in project.tables if table not in compared} | unsettled | project.without_history
    for app, migrations in project.unapplied.items():
        if app not in skipped and any(_adds(project, table) for table in compared if table.app == app):
            yield _record_it(project.connection.alias, app, migrations)


def _record_it(alias: str, app: str, migrations: Sequence[Migration]) -> str:
    names = ", ".join(migration.name for migration in migrations)
    option = "" if alias == "default" else f" --database {alias}"
    command = f"python manage.py migrate {app} {migrations[-1].name} --fake{option}"
    return gettext(
        "%(app)s: the next migrate would apply %(migrations)s and fail, because the database already has what it "
        "adds. If it was applied, record it: %(command)s"
    ) % {"app": app, "migrations": names, "command": command}


def _adds(project: Project, table: ModelTable) -> bool:
    """Whether the unapplied migrations create the table, or add a column, index or constraint to it."""
    key = table.app, table.name.lower()
    after, before = project.latest.models.get(key), project.applied.models.get(key)
    return table.managed and after is not None and (before is None or not _parts(after) <= _parts(before))


def _parts(state: ModelState) -> set[str]:
    declared = (*state.options.get("indexes", ()), *state.options.get("constraints", ()))
    return {*state.fields, *(item.name for item in declared)}


def is_eligible(finding: Finding, adoption: Adoption) -> bool:
    """Whether a repair may touch the finding: what a migration will do is left to `migrate`."""
    adopted = finding.app in adoption.partial and finding.cause is Cause.UNAPPLIED
    repairable = finding.kind.is_difference and not finding.kind.is_about_history
    renamed = finding.app in adoption.renamed and finding.kind.is_missing_table
    return finding.counts and repairable and (finding.cause is Cause.DRIFT or adopted or renamed)


def is_migrated_by_fix(finding: Finding, adoption: Adoption) -> bool:
    """Whether `--fix` creates the missing table by running the migrations of its app."""
    return finding.app in adoption.absent and finding.kind.is_missing_table and finding.counts
