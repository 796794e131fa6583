"""The statements that repair a table on SQLite: plain ones where SQLite has them, else one rebuild of the table.

A rebuild (https://sqlite.org/lang_altertable.html, section 7) takes each column and constraint as it is,
except for those being repaired, so that nothing that the models do not know gets lost.
"""

import re
from collections.abc import Iterable, Iterator

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from compat.structure.backends.base import Backend, Values
from compat.structure.findings import Finding, Kind
from compat.structure.plan import COLUMNS, RULES, Obstacle, Step, unconvertible
from compat.structure.rules import match
from compat.structure.snapshot import Column, Rule, Table

REBUILT = frozenset(
    (Kind.MISSING_COLUMN, Kind.TYPE, Kind.NULLABILITY, Kind.DEFAULT, Kind.COLLATION, Kind.IDENTITY,
     Kind.PRIMARY_KEY, Kind.FOREIGN_KEY, Kind.UNIQUE, Kind.CHECK)
)  # fmt: skip
HEAVY = frozenset((Kind.TYPE, Kind.COLLATION, Kind.IDENTITY))
WHOLE = frozenset((Kind.PRIMARY_KEY, Kind.UNIQUE))
CONSTANT = re.compile(r"^(?:'.*'|[-+]?[\d.]+|true|false)$", re.DOTALL)


def steps(
    backend: Backend, expected: Table, actual: Table, findings: Iterable[Finding], values: Values
) -> Iterator[Step]:
    """Yield one step for each plain repair, and one rebuild for all the others."""
    rebuilt: list[Finding] = []
    added: list[tuple[Finding, str]] = []
    for finding in findings:
        rule = expected.rule(finding.kind, finding.object)
        if rule and rule.definition.upper().startswith("CREATE"):
            if _pair(expected, actual, rule) is None and rule.name not in {other.name for other in actual.rules}:
                yield Step(expected.name, (finding,), (f"{rule.definition};",), RULES)
        elif finding.kind is Kind.MISSING_COLUMN and (sql := _added(backend, expected, finding)):
            added.append((finding, sql))
        elif finding.kind in REBUILT and _rebuildable(expected, actual, finding):
            rebuilt.append(finding)
    if rebuilt:
        rebuilt += [finding for finding, _ in added]
        yield _rebuild(backend, expected, actual, rebuilt, values)
    else:
        yield from (Step(expected.name, (finding,), (sql,), COLUMNS) for finding, sql in added)


def _added(backend: Backend, expected: Table, finding: Finding) -> str | None:
    """Return the statement that adds a column, None where SQLite can only rebuild the table."""
    column = expected.column(finding.object)
    if column is None or any(rule.inline and rule.kind in WHOLE and column.name.casefold() in rule.columns
                             for rule in expected.rules):  # fmt: skip
        return None
    if not column.nullable or (column.default is not None and not CONSTANT.match(column.default)):
        return None
    if column.generated and column.generated.endswith("STORED"):
        return None
    return f"ALTER TABLE {backend.quote(expected.name)} ADD COLUMN {column.definition};"


def _rebuild(backend: Backend, expected: Table, actual: Table, findings: list[Finding], values: Values) -> Step:
    heavy = any(finding.kind in HEAVY for finding in findings)
    if actual.dependents:
        text = _("The table cannot be rebuilt while %(dependents)s depend on it: drop, repair, create.")
        refusal = text % {"dependents": get_text_list([_named(item) for item in actual.dependents], _("and"))}
        return Step(expected.name, tuple(findings), (), COLUMNS, rewrite=heavy, refusal=refusal)
    sql = tuple(rebuild(backend, expected, actual, findings, values))
    return Step(expected.name, tuple(findings), sql, COLUMNS, rewrite=heavy)


def _named(dependent: str) -> str:
    kind, name = dependent.split(" ", 1)
    return (_("the view %(name)s") if kind == "view" else _("the trigger %(name)s")) % {"name": name}


def counterpart(expected: Table, actual: Table, rule: Rule) -> Rule | None:
    """Return the constraint or index that stands where the rule should be, at least under its name."""
    return _pair(expected, actual, rule) or next((other for other in actual.rules if other.name == rule.name), None)


def _pair(expected: Table, actual: Table, rule: Rule) -> Rule | None:
    _, _, pairs = match(expected.rules, actual.rules)
    return next((found for wanted, found in pairs if wanted == rule), None)


def _rebuildable(expected: Table, actual: Table, finding: Finding) -> bool:
    """Whether a rebuild repairs the finding without replacing a constraint that means something else."""
    rule = expected.rule(finding.kind, finding.object)
    if rule is None:
        return expected.column(finding.object) is not None and not (
            finding.kind is Kind.DEFAULT and finding.expected is None
        )
    found = _pair(expected, actual, rule)
    return found is None or found.signature == rule.signature


def rebuild(
    backend: Backend, expected: Table, actual: Table, findings: Iterable[Finding], values: Values
) -> Iterator[str]:
    """Yield the statements that make the table anew with the findings repaired."""
    findings = tuple(findings)
    columns = _columns(expected, actual, findings)
    name, new = backend.quote(actual.name), backend.quote(f"new__{actual.name}")
    body = [column.definition for column in columns] + list(_constraints(expected, actual, columns, findings))
    yield f"CREATE TABLE {new} ({', '.join(body)}) {actual.suffix}".strip() + ";"
    kept = {backend.quote(c.name): backend.quote(c.name) for c in actual.columns.values() if not c.generated}
    for finding in findings:
        added = expected.column(finding.object) if finding.kind is Kind.MISSING_COLUMN else None
        if added and not added.nullable and added.default is None and not added.generated:
            kept[backend.quote(added.name)] = values.filler(finding) or "NULL"
    yield f"INSERT INTO {new} ({', '.join(kept)}) SELECT {', '.join(kept.values())} FROM {name};"  # noqa: S608  quoted
    if any(column.auto for column in actual.columns.values()):
        plain = actual.name.replace("'", "''")
        yield f"DELETE FROM sqlite_sequence WHERE name = 'new__{plain}';"  # noqa: S608  a quoted name
        yield f"INSERT INTO sqlite_sequence SELECT 'new__{plain}', seq FROM sqlite_sequence WHERE name = '{plain}';"  # noqa: S608
    yield f"DROP TABLE {name};"
    yield f"ALTER TABLE {new} RENAME TO {name};"
    for rule in actual.rules:
        if _stands_alone(rule):
            yield f"{rule.definition};"


def _stands_alone(rule: Rule) -> bool:
    return rule.definition.upper().startswith("CREATE")


def _columns(expected: Table, actual: Table, findings: Iterable[Finding]) -> list[Column]:
    """Return the columns that are there, mended ones as the model has them, then the missing ones."""
    mended = {str(f.object).casefold() for f in findings if f.kind not in (Kind.FOREIGN_KEY, Kind.UNIQUE, Kind.CHECK)}
    for finding in findings:
        rule = expected.rule(finding.kind, finding.object)
        if rule and rule.inline and (rule.kind is Kind.PRIMARY_KEY or _pair(expected, actual, rule)):
            mended.add(rule.home)
    there = [expected.columns[key] if key in mended else column for key, column in actual.columns.items()]
    return there + [column for key, column in expected.columns.items() if key in mended - set(actual.columns)]


def _constraints(
    expected: Table, actual: Table, columns: Iterable[Column], findings: Iterable[Finding]
) -> Iterator[str]:
    """Yield the table's constraints: those that are there, the inline ones of replaced columns, the missing ones."""
    chosen = {id(column) for column in columns}
    inline = [*_inline(expected, chosen), *_inline(actual, chosen)]
    given = {rule.signature for rule in inline}
    keyed = any(rule.kind is Kind.PRIMARY_KEY for rule in inline)
    wanted = [rule for finding in findings if (rule := expected.rule(finding.kind, finding.object))]
    replaced = [_pair(expected, actual, rule) for rule in wanted]
    for rule in (*(rule for rule in actual.rules if rule not in replaced), *wanted):
        if _stands_alone(rule) or rule.signature in given or (keyed and rule.kind is Kind.PRIMARY_KEY):
            continue
        given.add(rule.signature)
        yield rule.definition


def _inline(table: Table, chosen: set[int]) -> Iterator[Rule]:
    """Yield the inline constraints of those columns of the table that were chosen."""
    for rule in table.rules:
        column = table.columns.get(rule.home)
        if rule.inline and column is not None and id(column) in chosen:
            yield rule


def type_obstacle(backend: Backend, table: Table, expected: Column) -> Obstacle | None:
    """Return the query for values that SQLite would keep as they are although the column promises another type."""
    from compat.structure.backends.sqlite import affinity

    name, place = backend.quote(expected.name), backend.quote(table.name)
    wrong = {
        "integer": f"typeof({name} + 0) <> 'integer' OR CAST(CAST({name} AS INTEGER) AS TEXT) <> CAST({name} AS TEXT)",
        "real": f"typeof({name}) NOT IN ('integer', 'real') AND CAST(CAST({name} AS REAL) AS TEXT) <> {name}",
        "text": f"typeof({name}) IN ('real', 'blob')",
    }.get(affinity(expected.type))
    if wrong is None:
        return None
    keys = ", ".join(backend.quote(key) for key in table.primary_key()) or "rowid"
    query = f"SELECT {keys}, {name} FROM {place} WHERE {name} IS NOT NULL AND ({wrong})"  # noqa: S608  quoted names
    return unconvertible(query, expected)
