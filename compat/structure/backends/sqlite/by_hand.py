"""What to run by hand on SQLite, where a repair would have to drop something."""

from compat.structure.backends.base import Backend
from compat.structure.backends.sqlite.repairs import counterpart
from compat.structure.findings import Finding, Kind
from compat.structure.snapshot import Rule, Table

MANUAL = "https://sqlite.org/lang_altertable.html#otheralter"


def by_hand(backend: Backend, finding: Finding, expected: Table, actual: Table) -> str:
    """Return the statements that a person may run, or what to change where SQLite has no statement for it."""
    table, name = backend.quote(expected.name), backend.quote(str(finding.object))
    if finding.kind is Kind.NOT_A_TABLE:
        return f"DROP {actual.kind.upper()} {table}; then verify_structure --fix"
    if finding.kind is Kind.RENAMED_COLUMN:
        old = backend.quote(str(finding.actual))
        drop = f"ALTER TABLE {table} DROP COLUMN {old}; then verify_structure --fix"
        return f"ALTER TABLE {table} RENAME COLUMN {old} TO {name}; if it was renamed. If not: {drop}"
    if finding.kind is Kind.EXTRA_COLUMN:
        return f"ALTER TABLE {table} DROP COLUMN {name}; which drops its values"
    if finding.kind is Kind.GENERATED:
        return f"ALTER TABLE {table} DROP COLUMN {name}; then verify_structure --fix, which computes its values anew"
    rule = expected.rule(finding.kind, finding.object)
    return _replace_rule(table, rule, counterpart(expected, actual, rule)) if rule else ""


def _replace_rule(table: str, rule: Rule, found: Rule | None) -> str:
    if found is None:
        return ""
    if found.definition.upper().startswith("CREATE"):
        return f'DROP INDEX "{found.name}"; {rule.definition};'
    return f"make {table} anew ({MANUAL}) with {rule.definition} in place of {found.definition}"
