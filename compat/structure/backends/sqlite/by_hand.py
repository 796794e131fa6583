"""What to run by hand on SQLite, where a repair would have to drop something."""

from django.utils.translation import gettext as _

from compat.structure.backends.base import Backend, renamed_or_not
from compat.structure.backends.sqlite.repairs import counterpart
from compat.structure.findings import Finding, Kind
from compat.structure.snapshot import Rule, Table

MANUAL = "https://sqlite.org/lang_altertable.html#otheralter"


def by_hand(backend: Backend, finding: Finding, expected: Table, actual: Table) -> str:
    """Return the statements that a person may run, or what to change where SQLite has no statement for it."""
    table, name = backend.quote(expected.name), backend.quote(str(finding.object))
    if finding.kind is Kind.NOT_A_TABLE:
        return _("%(sql)s then verify_structure --fix") % {"sql": f"DROP {actual.kind.upper()} {table};"}
    if finding.kind is Kind.RENAMED_COLUMN:
        return renamed_or_not(table, backend.quote(str(finding.actual)), name)
    drop = f"ALTER TABLE {table} DROP COLUMN {name};"
    if finding.kind is Kind.EXTRA_COLUMN:
        return _("%(sql)s which drops its values") % {"sql": drop}
    if finding.kind is Kind.GENERATED:
        return _("%(sql)s then verify_structure --fix, which computes its values anew") % {"sql": drop}
    rule = expected.rule(finding.kind, finding.object)
    return _replace_rule(table, rule, counterpart(expected, actual, rule)) if rule else ""


def _replace_rule(table: str, rule: Rule, found: Rule | None) -> str:
    if found is None:
        return ""
    if found.definition.upper().startswith("CREATE"):
        return f'DROP INDEX "{found.name}"; {rule.definition};'
    names = {"table": table, "manual": MANUAL, "wanted": rule.definition, "found": found.definition}
    return _("make %(table)s anew (%(manual)s) with %(wanted)s in place of %(found)s") % names
