"""The statements that restore a constraint or an index on PostgreSQL, as the server wrote down the scratch table's."""

from collections.abc import Sequence

from compat.structure.backends.postgresql.subject import Subject
from compat.structure.findings import Kind
from compat.structure.plan import REFERENCES, RULES, Step
from compat.structure.rules import match
from compat.structure.snapshot import Rule


def restore_rule(subject: Subject) -> Step | Sequence[Step] | None:
    """Create a missing constraint or index, or mend its flags; one that means something else is left alone."""
    rule = subject.expected.rule(subject.finding.kind, subject.finding.object)
    if rule is None:
        return None
    found = counterpart(subject, rule)
    order = REFERENCES if rule.kind is Kind.FOREIGN_KEY else RULES
    if found is None:
        return (
            beside_writes(subject, rule) if subject.is_large else subject.step(create_rule(subject, rule), order=order)
        )
    sql = mend_flags(subject, rule, found) if found.signature == rule.signature else ()
    return subject.step(*sql, order=order, concurrent=subject.is_large) if sql else None


def counterpart(subject: Subject, rule: Rule) -> Rule | None:
    """Return the constraint or index that stands where the rule should be, at least under its name."""
    _, _, pairs = match(subject.expected.rules, subject.actual.rules)
    paired = next((found for wanted, found in pairs if wanted == rule), None)
    return paired or next((other for other in subject.actual.rules if other.name == rule.name), None)


def beside_writes(subject: Subject, rule: Rule) -> Sequence[Step]:
    """Create a constraint or index of a large table without keeping writers out while it is built or validated."""
    sql, name = create_rule(subject, rule), subject.quote(rule.name)
    if rule.kind in (Kind.FOREIGN_KEY, Kind.CHECK):
        validate = f"ALTER TABLE {subject.table} VALIDATE CONSTRAINT {name};"
        return (
            subject.step(f"{sql.removesuffix(';')} NOT VALID;", order=REFERENCES),
            subject.step(validate, order=REFERENCES, concurrent=True),
        )
    if sql.startswith("CREATE"):
        return (subject.step(sql.replace("INDEX ", "INDEX CONCURRENTLY ", 1), order=RULES, concurrent=True),)
    if rule.kind is Kind.EXCLUSION or rule.traits:
        return (subject.step(sql, order=RULES),)
    kind = "PRIMARY KEY" if rule.kind is Kind.PRIMARY_KEY else "UNIQUE"
    columns = subject.backend.quote(*rule.columns)
    timing = dict(rule.flags).get("timing", "")
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {subject.table} ({columns});"
    adopt = f"ALTER TABLE {subject.table} ADD CONSTRAINT {name} {kind} USING INDEX {name} {timing}".strip() + ";"
    return (subject.step(build, adopt, order=RULES, concurrent=True),)


def create_rule(subject: Subject, rule: Rule) -> str:
    """Return the statement that creates a constraint or index as the scratch table has it."""
    name = subject.quote(rule.name)
    if rule.kind is Kind.INDEX or dict(rule.flags).get("form") == "index":
        unique = "UNIQUE " if rule.kind is Kind.UNIQUE else ""
        return f"CREATE {unique}INDEX {name} ON {subject.table} USING {rule.definition.split(' USING ', 1)[1]};"
    target = dict(rule.traits).get("to", "").partition(" (")[0]
    schema, dot, table = target.rpartition(".")
    definition = rule.definition.replace(f'"{target}"', f'"{schema}"."{table}"') if dot else rule.definition
    return f"ALTER TABLE {subject.table} ADD CONSTRAINT {name} {definition};"


def mend_flags(subject: Subject, wanted: Rule, found: Rule) -> tuple[str, ...]:
    """Return the statements for NOT VALID, INVALID, a lost DEFERRABLE, and an index that should be a constraint.

    A check that is NOT ENFORCED has none: the server cannot alter it.
    """
    flags, right = dict(found.flags), dict(wanted.flags)
    name = subject.quote(found.name)
    sql = list(found.enabling)
    if flags.get("form") != right.get("form"):
        return (
            ()
            if right.get("form") != "constraint" or found.traits
            else (f"ALTER TABLE {subject.table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};",)
        )
    if flags.get("enforced") == "NOT ENFORCED" and wanted.kind is Kind.FOREIGN_KEY:
        sql.append(f"ALTER TABLE {subject.table} ALTER CONSTRAINT {name} ENFORCED;")
    if flags.get("state") == "NOT VALID":
        sql.append(f"ALTER TABLE {subject.table} VALIDATE CONSTRAINT {name};")
    if flags.get("state") == "INVALID":
        sql.append(f"REINDEX INDEX {'CONCURRENTLY ' if subject.is_large else ''}{name};")
    if flags.get("timing") != right.get("timing") and wanted.kind is Kind.FOREIGN_KEY:
        sql.append(f"ALTER TABLE {subject.table} ALTER CONSTRAINT {name} {right.get('timing') or 'NOT DEFERRABLE'};")
    return tuple(sql)
