"""A model's table does not exist."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from django.apps import apps as installed
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from compat.structure.findings import Cause, Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.names import schema_and_table
from compat.structure.schema import RelationKind
from compat.structure.steps import Blocker, Phase, Reason, Step


class MissingTable(Kind):
    """The repair creates the table, unless it seems to exist under another name or in another schema."""

    name = "missing_table"
    number = 1
    title = "Missing table"
    compares = False
    is_missing_table = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning=(
                "A model's table is not in the database. If another schema has a table of that name, or a table "
                "without a model has the same columns or owns the names of its indexes, the table was probably "
                "moved or renamed: `--fix` refuses to create an empty one, and the hint names the other table and "
                "the statements to run. With one schema per tenant, put the tenant's schema first on the search "
                "path and verify it alone."
            ),
            danger="Every query on the model fails.",
            remedy=(
                "`--fix` creates the table with Django's schema editor. For an app without recorded migrations and "
                "without tables, `--fix` runs its migrations. If a migration is unapplied, run `migrate`."
            ),
        ),
        Severity.INFO: Documentation(
            meaning="The table of an unmanaged model does not exist.",
            danger="None for Django, which does not manage the table; code that reads it fails.",
            remedy="None needed, or create it in the application that owns it.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        if not sides.actual.exists:
            places = ", ".join(_("the schema %(schema)s") % {"schema": schema} for schema in sides.actual.elsewhere)
            hint = _("A table of that name is in %(places)s.") % {"places": places} if places else ""
            message = _("The table is missing.")
            yield self.finding(Severity.ERROR, sides.name, message, sides.name, "table", hint=hint)

    def steps(self, repair: Repair) -> Sequence[Step]:
        if repair.sides.owner is None:
            return ()
        creation = repair.dialect.introspection.creation(repair.sides.owner)
        if blocker := _seems_elsewhere(repair, " ".join(creation.create)):
            return [Step(repair.sides.name, (), Phase.TABLES, blocker=blocker)]
        create = repair.dialect.ddl.create_table(repair.sides.name, creation.create, Phase.TABLES)
        if not creation.later:
            return [create]
        return [create, repair.dialect.ddl.create_table(repair.sides.name, creation.later, Phase.REFERENCES)]

    def inline_column(self, repair: Repair) -> str:
        return ""


def _seems_elsewhere(repair: Repair, sql: str) -> Blocker | None:
    """Return where the missing table seems to be, with its rows: in another schema, or under another name."""
    expected, actual, ddl = repair.sides.expected, repair.sides.actual, repair.dialect.ddl
    if actual.elsewhere:
        places = tuple(_("the schema %(schema)s") % {"schema": schema} for schema in actual.elsewhere)
        table = schema_and_table(expected.name)[1]
        named = f"{ddl.quote(actual.elsewhere[0])}.{ddl.quote(table)}"
        facts = {"places": ", ".join(places), "schema": actual.elsewhere[0], "named": named, "sql": sql}
        return Blocker(Reason.TABLE_IN_OTHER_SCHEMA, facts)
    if blocker := renamed_table(repair, sql):
        return blocker
    others = repair.unmodelled_tables()
    needed = {item.name for item in expected.constraints if item.name}
    taken = {item.name: other.name for other in others.values() for item in other.constraints}
    for name in sorted(needed & taken.keys()):
        return Blocker(Reason.NAME_TAKEN, {"name": name, "other": taken[name]})
    return None


def renamed_table(repair: Repair, sql: str = "") -> Blocker | None:
    """Return the table without a model that has the columns of the missing one, and the statements that rename it."""
    expected, ddl = repair.sides.expected, repair.dialect.ddl
    alike = [
        other
        for other in repair.unmodelled_tables().values()
        if other.kind is RelationKind.TABLE and other.columns and other.columns.keys() == expected.columns.keys()
    ]
    if not alike:
        return None
    other = max(alike, key=lambda table: SequenceMatcher(None, table.name.casefold(), expected.name.casefold()).ratio())
    rename = f"ALTER TABLE {ddl.table(other.name)} RENAME TO {ddl.quote(schema_and_table(expected.name)[1])};"
    statements = (rename, *_moved_history(repair, other.name))
    facts = {"other": other.name, "rename": " ".join(statements), "statements": statements}
    return Blocker(Reason.TABLE_RENAMED, {**facts, "otherwise": _otherwise(repair, sql)})


def _otherwise(repair: Repair, sql: str) -> str:
    if repair.finding.cause is Cause.UNAPPLIED:
        return _("run: python manage.py migrate %(app)s") % {"app": repair.finding.app}
    return _("create this one: %(sql)s") % {"sql": sql}


def _moved_history(repair: Repair, other: str) -> Iterator[str]:
    """Yield the statement that gives the app the records of the app that the other table is named after."""
    app, recorder = repair.finding.app, MigrationRecorder(repair.dialect.connection)
    recorded = {label for label, _name in recorder.applied_migrations()}
    former = [label for label in recorded if other.startswith(f"{label}_")]
    known = {config.label for config in installed.get_app_configs()}
    for label in sorted(set(former) - known) if app not in recorded else ():
        literal = repair.dialect.ddl.literal
        yield f"UPDATE django_migrations SET app = {literal(app)} WHERE app = {literal(label)};"  # noqa: S608  literals
