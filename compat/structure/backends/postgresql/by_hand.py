"""What to run by hand on PostgreSQL, where a repair would have to drop something."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from compat.structure.backends.base import renamed_or_not
from compat.structure.backends.postgresql.rule_repairs import counterpart, create_rule
from compat.structure.backends.postgresql.subject import Subject
from compat.structure.findings import Kind
from compat.structure.snapshot import Rule


def by_hand(subject: Subject) -> str:
    """Return the statements that a person may run, None needed of them known: then an empty text."""
    write = WRITERS.get(subject.finding.kind)
    return write(subject) if write else ""


def _replace_rule(subject: Subject) -> str:
    rule = subject.expected.rule(subject.finding.kind, subject.finding.object)
    if rule is None and subject.finding.kind is Kind.FOREIGN_KEY:
        return f"ALTER TABLE {subject.table} DROP CONSTRAINT {subject.quote(str(subject.finding.object))};"
    found = counterpart(subject, rule) if rule else None
    if rule is None or found is None:
        return ""
    create = create_rule(subject, rule)
    if _is_index(found):
        schema, dot, _ = subject.expected.name.rpartition(".")
        name = f"{subject.quote(schema)}.{subject.quote(found.name)}" if dot else subject.quote(found.name)
        return f"DROP INDEX {name}; {create}"
    drop = f"ALTER TABLE {subject.table} DROP CONSTRAINT {subject.quote(found.name)}"
    begun = f"ALTER TABLE {subject.table} "
    return f"{drop}, {create.removeprefix(begun)}" if create.startswith(begun) else f"{drop}; {create}"


def _is_index(rule: Rule) -> bool:
    return rule.definition.startswith("CREATE")


def _move_aside(subject: Subject) -> str:
    old = subject.quote(f"{subject.expected.name.rpartition('.')[2]}_old")
    sql = f"ALTER {subject.actual.kind.upper()} {subject.table} RENAME TO {old};"
    return _("%(sql)s then verify_structure --fix") % {"sql": sql}


def _let_null(subject: Subject) -> str:
    column = subject.quote(str(subject.finding.object))
    return f"ALTER TABLE {subject.table} ALTER COLUMN {column} DROP NOT NULL;"


def _generate(subject: Subject) -> str:
    column = subject.quote(str(subject.finding.object))
    if subject.finding.expected is None:
        return f"ALTER TABLE {subject.table} ALTER COLUMN {column} DROP EXPRESSION;"
    drop = f"ALTER TABLE {subject.table} DROP COLUMN {column};"
    return _("%(sql)s then verify_structure --fix --rewrite, which computes its values anew") % {"sql": drop}


def _rename(subject: Subject) -> str:
    old, new = (subject.quote(str(name)) for name in (subject.finding.actual, subject.finding.object))
    return renamed_or_not(subject.table, old, new)


def _let_see(subject: Subject) -> str:
    disable = f"ALTER TABLE {subject.table} DISABLE ROW LEVEL SECURITY;"
    return _("%(create)s or %(disable)s") % {"create": f"CREATE POLICY … ON {subject.table} …;", "disable": disable}


WRITERS: Mapping[Kind, Callable[[Subject], str]] = {
    Kind.NOT_A_TABLE: _move_aside,
    Kind.EXTRA_COLUMN: _let_null,
    Kind.GENERATED: _generate,
    Kind.RENAMED_COLUMN: _rename,
    Kind.ROW_SECURITY: _let_see,
    **dict.fromkeys(
        (Kind.PRIMARY_KEY, Kind.FOREIGN_KEY, Kind.UNIQUE, Kind.CHECK, Kind.EXCLUSION, Kind.INDEX), _replace_rule
    ),
}
