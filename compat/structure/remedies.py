"""From findings to steps: what can be repaired, with which statements, and what the models give to fill in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from compat.structure.adoption import Adoption
from compat.structure.findings import Cause, Finding, Kind
from compat.structure.plan import REFERENCES, TABLES, Step
from compat.structure.verify import Examination

NEEDS_REWRITE = "Run verify_structure --fix --rewrite: the table is rewritten, no value is lost."
NEEDS_FIX = "Run verify_structure --fix."
BY_HAND = "Mend it by hand: replacing it would drop something, which a repair never does."
NAMESAKE = (
    "A table of that name stands in {places}. If it is this one, put its schema first on the search path (in the "
    """database's OPTIONS: "options": "-c search_path={schema}"), name it in the model (db_table = '{named}'), or """
    "move it: ALTER TABLE {named} SET SCHEMA …; If it is another one, create this one: {sql}"
)


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
    return replace(
        finding, fixable=True, rewrite=rewrite, sql=sql, hint=hint or (NEEDS_REWRITE if rewrite else NEEDS_FIX)
    )  # fmt: skip


def _absent(examination: Examination, finding: Finding) -> str:
    run = f"un verify_structure --fix, or migrate {finding.app}."
    places = ", ".join(examination.actual[finding.table].elsewhere) if finding.table in examination.actual else ""
    if not places:
        return f"R{run}"
    return (
        f"A table of that name stands in the schema {places}: put its schema first on the search path if it is this "
        f"one. If not, r{run}"
    )


def _by_hand(examination: Examination, finding: Finding) -> str:
    sides = examination.expected[finding.table], examination.actual[finding.table]
    statements = examination.backend.by_hand(finding, *sides)
    return f"By hand, for a repair drops nothing: {statements}" if statements else BY_HAND


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
    if actual is not None and actual.elsewhere:
        schema = actual.elsewhere[0]
        named = examination.backend.quote(schema) + "." + examination.backend.quote(table)
        places = ", ".join(f"the schema {name}" for name in actual.elsewhere)
        return NAMESAKE.format(places=places, schema=schema, named=named, sql=sql)
    expected, quote = examination.expected[table], examination.backend.quote
    for other in examination.strangers.values():
        if other.kind == "table" and expected.columns and other.columns.keys() == expected.columns.keys():
            return (
                f"The table {other.name} has the same columns and no model: was it renamed? If so, "
                f"ALTER TABLE {quote(other.name)} RENAME TO {quote(table)}; If not, create this one: {sql}"
            )
    names = {rule.name for rule in expected.rules if rule.name}
    taken = {rule.name: other.name for other in examination.strangers.values() for rule in other.rules}
    if shared := sorted(names & taken.keys()):
        return f"{shared[0]}, which the table needs, belongs to {taken[shared[0]]}: was the table renamed?"
    return ""
