"""From findings to steps: what can be repaired, with which statements, and what the models give to fill in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from compat.structure.adoption import Adoption
from compat.structure.examination import Examination
from compat.structure.findings import Cause, Finding, Kind
from compat.structure.plan import REFERENCES, TABLES, Step


def needs_rewrite() -> str:
    """Return the hint of a finding that only `--rewrite` repairs."""
    return _("Run verify_structure --fix --rewrite: the table is rewritten, no value is lost.")


@dataclass(frozen=True)
class Values:
    """What the models give for the rows that exist when a column is added."""

    examination: Examination

    def filler(self, finding: Finding) -> str | None:
        """Return the SQL literal of the field's default, None when it has none."""
        owner = self.examination.owner(finding.table)
        field = owner.field(str(finding.object))
        if field is None:
            return None
        connection = self.examination.backend.connection
        editor: Any = connection.schema_editor(collect_sql=True, atomic=False)
        value = editor.effective_default(field)
        return None if value is None else str(editor.quote_value(value))


def with_remedies(examination: Examination, adoption: Adoption) -> tuple[Finding, ...]:
    """Return the findings, each with the statements that would repair it and a hint."""
    return tuple(_with_remedy(examination, adoption, finding) for finding in examination.findings)


def _with_remedy(examination: Examination, adoption: Adoption, finding: Finding) -> Finding:
    if finding.app in adoption.absent and finding.kind is Kind.MISSING_TABLE and finding.counts:
        return replace(finding, fixable=True, hint=_absent(examination, finding))
    if not eligible(finding, adoption):
        return finding
    found = list(steps(examination, [finding]))
    refusal = next((step.refusal for step in found if step.refusal), "")
    if not found or refusal:
        return replace(finding, hint=refusal or finding.hint or _by_hand(examination, finding))
    rewrite = any(step.rewrite for step in found)
    sql = tuple(statement for step in found for statement in step.sql)
    hint = finding.hint if finding.cause is Cause.DRIFT else ""
    hint = hint or (needs_rewrite() if rewrite else _("Run verify_structure --fix."))
    return replace(finding, fixable=True, rewrite=rewrite, sql=sql, hint=hint)


def _absent(examination: Examination, finding: Finding) -> str:
    places = ", ".join(examination.actual[finding.table].elsewhere) if finding.table in examination.actual else ""
    if not places:
        return _("Run verify_structure --fix, or migrate %(app)s.") % {"app": finding.app}
    return _(
        "A table of that name stands in the schema %(places)s: put its schema first on the search path if it is this "
        "one. If not, run verify_structure --fix, or migrate %(app)s."
    ) % {"places": places, "app": finding.app}


def _by_hand(examination: Examination, finding: Finding) -> str:
    sides = examination.expected[finding.table], examination.actual[finding.table]
    statements = examination.backend.by_hand(finding, *sides)
    if statements:
        return _("By hand, for a repair drops nothing: %(statements)s") % {"statements": statements}
    return _("Mend it by hand: replacing it would drop something, which a repair never does.")


def eligible(finding: Finding, adoption: Adoption) -> bool:
    """Whether a repair may touch the finding: the work of a migration is left to the migration."""
    adopted = finding.app in adoption.partial and finding.cause is Cause.UNAPPLIED
    return finding.counts and finding.kind is not Kind.UNJUDGED and (finding.cause is Cause.DRIFT or adopted)


def steps(examination: Examination, findings: Iterable[Finding]) -> list[Step]:
    """Return the steps for these findings in the order in which they must run."""
    by_table: dict[str, list[Finding]] = {}
    for finding in findings:
        by_table.setdefault(finding.table, []).append(finding)
    found = [step for table, group in by_table.items() for step in _table_steps(examination, table, group)]
    return sorted(found, key=lambda step: step.order)


def _table_steps(examination: Examination, table: str, findings: list[Finding]) -> Iterator[Step]:
    missing = next((finding for finding in findings if finding.kind is Kind.MISSING_TABLE), None)
    if missing is None:
        sides = examination.expected[table], examination.actual[table]
        yield from examination.backend.steps(*sides, findings, Values(examination))
        return
    if refusal := _stands_elsewhere(examination, table):
        yield Step(table, (missing,), (), TABLES, refusal=refusal)
        return
    creation = examination.backend.creation(examination.owner(table))
    yield Step(table, (missing,), creation.create, TABLES)
    if creation.later:
        yield Step(table, (missing,), creation.later, REFERENCES)


def _stands_elsewhere(examination: Examination, table: str) -> str:
    """Return where the missing table seems to be, with its rows: in another schema, or under another name."""
    actual = examination.actual.get(table)
    sql = " ".join(examination.backend.creation(examination.owner(table)).create)
    expected, quote = examination.expected[table], examination.backend.quote
    if actual is not None and actual.elsewhere:
        return _namesake(actual.elsewhere, f"{quote(actual.elsewhere[0])}.{quote(table)}", sql)
    for other in examination.strangers.values():
        if other.kind == "table" and expected.columns and other.columns.keys() == expected.columns.keys():
            rename = f"ALTER TABLE {quote(other.name)} RENAME TO {quote(table)};"
            return _(
                "The table %(other)s has the same columns and no model: was it renamed? If so, %(rename)s "
                "If not, create this one: %(sql)s"
            ) % {"other": other.name, "rename": rename, "sql": sql}
    names = {rule.name for rule in expected.rules if rule.name}
    taken = {rule.name: other.name for other in examination.strangers.values() for rule in other.rules}
    if shared := sorted(names & taken.keys()):
        text = _("%(name)s, which the table needs, belongs to %(other)s: was the table renamed?")
        return text % {"name": shared[0], "other": taken[shared[0]]}
    return ""


def _namesake(schemas: Sequence[str], named: str, sql: str) -> str:
    """Return what to do where a table of the missing one's name, `named`, stands in another schema."""
    places = ", ".join(_("the schema %(schema)s") % {"schema": schema} for schema in schemas)
    return _(
        "A table of that name stands in %(places)s. If it is this one, put its schema first on the search path (in "
        """the database's OPTIONS: "options": "-c search_path=%(schema)s"), name it in the model """
        "(db_table = '%(named)s'), or move it: ALTER TABLE %(named)s SET SCHEMA …; If it is another one, "
        "create this one: %(sql)s"
    ) % {"places": places, "schema": schemas[0], "named": named, "sql": sql}
