"""The rows that stand in the way of a repair: what to ask the database before it is told to change."""

import re
from collections.abc import Callable, Mapping

from django.utils.translation import ngettext_lazy

from compat.structure.backends.base import Backend
from compat.structure.findings import Finding, Kind
from compat.structure.plan import Obstacle
from compat.structure.snapshot import Column, Rule, Table

SAMPLES = 3
REPEATED = ngettext_lazy(
    "%(count)d value of (%(columns)s) stands in more than one row",
    "%(count)d values of (%(columns)s) stand in more than one row",
    "count",
)
REPEATED_KEYS = ngettext_lazy(
    "%(count)d value of (%(columns)s) stands in more than one row, or is NULL",
    "%(count)d values of (%(columns)s) stand in more than one row, or is NULL",
    "count",
)
Question = Callable[[Backend, Finding, Table, Table], Obstacle | None]


def obstacle(backend: Backend, finding: Finding, expected: Table, actual: Table) -> Obstacle | None:
    """Return the question to ask before the finding is repaired; None when nothing can stand in the way."""
    question = QUESTIONS.get(finding.kind)
    return question(backend, finding, expected, actual) if question else None


def place(backend: Backend, table: str) -> str:
    """Return the quoted name of a table, which may name its schema."""
    schema, dot, name = table.rpartition(".")
    return f"{backend.quote(schema)}.{backend.quote(name)}" if dot else backend.quote(table)


def rows_without_value(backend: Backend, actual: Table, column: Column) -> Obstacle:
    """Ask for rows that a new column would leave without the value that it needs."""
    query = f"SELECT {_keys(backend, actual)} FROM {place(backend, actual.name)}"  # noqa: S608  quoted names
    text = ngettext_lazy(
        "%(count)d row needs a value for the new column %(column)s: give the field a default or db_default",
        "%(count)d rows need a value for the new column %(column)s: give the field a default or db_default",
        "count",
    )
    return Obstacle(query, text, {"column": column.name})


def rows_to_tell_apart(backend: Backend, expected: Table, actual: Table, column: Column) -> Obstacle | None:
    """Ask for rows that would all get one value in a new column which allows each value once."""
    if not any(rule.kind in (Kind.UNIQUE, Kind.PRIMARY_KEY) and _is_about(rule, column) for rule in expected.rules):
        return None
    table = place(backend, actual.name)
    query = f"SELECT {_keys(backend, actual)} FROM {table} WHERE (SELECT count(*) FROM {table}) > 1"  # noqa: S608  quoted
    text = ngettext_lazy(
        "%(count)d row needs a value of its own for the new column %(column)s, which is unique: "
        "add and fill it by hand",
        "%(count)d rows need each a value of its own for the new column %(column)s, which is unique: "
        "add and fill it by hand",
        "count",
    )
    return Obstacle(query, text, {"column": column.name})


def _is_about(rule: Rule, column: Column) -> bool:
    only = [name.casefold() for name in rule.columns] == [column.name.casefold()]
    return only and not dict(rule.traits).get("where")


def nulls(backend: Backend, finding: Finding, expected: Table, actual: Table) -> Obstacle | None:
    """Ask for NULLs in a column that shall take none."""
    column = expected.column(finding.object)
    if column is None or column.nullable:
        return None
    keys = _keys(backend, actual, column.name)
    query = f"SELECT {keys} FROM {place(backend, actual.name)} WHERE {backend.quote(column.name)} IS NULL"  # noqa: S608  quoted
    text = ngettext_lazy(
        "%(count)d row holds NULL in %(column)s", "%(count)d rows hold NULL in %(column)s", "count"
    )  # fmt: skip
    return Obstacle(query, text, {"column": column.name})


def types(backend: Backend, finding: Finding, expected: Table, actual: Table) -> Obstacle | None:
    """Ask for values that do not convert."""
    column, found = expected.column(finding.object), actual.column(finding.object)
    return backend.type_obstacle(actual, column, found) if column and found and column.type != found.type else None


def duplicates(backend: Backend, finding: Finding, expected: Table, actual: Table) -> Obstacle | None:
    """Ask for values that a unique constraint or a primary key would allow only once."""
    rule = expected.rule(finding.kind, finding.object)
    if rule is None or not _all_there(rule, expected, actual):
        return None
    traits = dict(rule.traits)
    columns = [backend.quote(name) if name in expected.columns else name for name in rule.columns]
    wanted = [f"({traits['where']})"] if traits.get("where") else []
    if rule.kind is Kind.PRIMARY_KEY:
        having = f"count(*) > 1 OR {' OR '.join(f'{column} IS NULL' for column in columns)}"
    else:
        having = "count(*) > 1"
        wanted += [] if traits.get("nulls") else [f"{column} IS NOT NULL" for column in columns]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    listed = ", ".join(columns)
    query = f"SELECT {listed} FROM {place(backend, actual.name)}{where} GROUP BY {listed} HAVING {having}"  # noqa: S608  quoted
    return Obstacle(query, REPEATED_KEYS if rule.kind is Kind.PRIMARY_KEY else REPEATED, _columns(rule))


def _columns(rule: Rule) -> dict[str, str]:
    return {"columns": ", ".join(rule.columns)}


def orphans(
    backend: Backend, finding: Finding, expected: Table, actual: Table, *, target_is_missing: bool = False
) -> Obstacle | None:
    """Ask for rows that refer to nothing; a table that is missing will be empty when it is there again."""
    rule = expected.rule(finding.kind, finding.object)
    if rule is None or not _all_there(rule, expected, actual):
        return None
    target, columns = rule.target()
    if target_is_missing:
        return _references(backend, rule, actual, target)
    pairs = zip(rule.columns, columns, strict=True)
    on = " AND ".join(f"r.{backend.quote(theirs)} = t.{backend.quote(ours)}" for ours, theirs in pairs)
    given = " AND ".join(f"t.{backend.quote(name)} IS NOT NULL" for name in rule.columns)
    keys = ", ".join(f"t.{key}" for key in _keys(backend, actual, *rule.columns).split(", "))
    query = (
        f"SELECT {keys} FROM {place(backend, actual.name)} t WHERE {given} "  # noqa: S608  quoted names
        f"AND NOT EXISTS (SELECT 1 FROM {place(backend, target)} r WHERE {on})"
    )
    text = ngettext_lazy(
        "%(count)d row refers by (%(columns)s) to no row of %(target)s",
        "%(count)d rows refer by (%(columns)s) to no row of %(target)s",
        "count",
    )
    return Obstacle(query, text, {**_columns(rule), "target": target})


def _references(backend: Backend, rule: Rule, actual: Table, target: str) -> Obstacle:
    given = " AND ".join(f"{backend.quote(name)} IS NOT NULL" for name in rule.columns)
    keys = _keys(backend, actual, *rule.columns)
    query = f"SELECT {keys} FROM {place(backend, actual.name)} WHERE {given}"  # noqa: S608  quoted names
    text = ngettext_lazy(
        "%(count)d row refers by (%(columns)s) to %(target)s, which is missing",
        "%(count)d rows refer by (%(columns)s) to %(target)s, which is missing",
        "count",
    )
    return Obstacle(query, text, {**_columns(rule), "target": target})


def violations(backend: Backend, finding: Finding, expected: Table, actual: Table) -> Obstacle | None:
    """Ask for rows that break a check."""
    rule = expected.rule(finding.kind, finding.object)
    condition = re.search(r"CHECK\s*\((.*)\)", rule.definition, re.DOTALL | re.IGNORECASE) if rule else None
    absent = [column.name for key, column in expected.columns.items() if key not in actual.columns]
    if rule is None or condition is None or any(rule.mentions(name) for name in absent):
        return None
    keys = _keys(backend, actual)
    query = f"SELECT {keys} FROM {place(backend, actual.name)} WHERE NOT ({condition[1]})"  # noqa: S608  the model's check
    text = ngettext_lazy(
        "%(count)d row breaks the check %(check)s", "%(count)d rows break the check %(check)s", "count"
    )  # fmt: skip
    return Obstacle(query, text, {"check": str(finding.object)})


def _keys(backend: Backend, actual: Table, *otherwise: str) -> str:
    """Return the columns that name a row: its primary key, or the given ones."""
    return backend.quote(*(actual.primary_key() or otherwise or tuple(actual.columns)[:1]))


def _all_there(rule: Rule, expected: Table, actual: Table) -> bool:
    """Whether all columns of the rule exist; a column yet to be added holds nothing that stands in the way."""
    return all(name in actual.columns or name not in expected.columns for name in rule.columns)


QUESTIONS: Mapping[Kind, Question] = {
    Kind.NULLABILITY: nulls,
    Kind.TYPE: types,
    Kind.COLLATION: types,
    Kind.IDENTITY: nulls,
    Kind.PRIMARY_KEY: duplicates,
    Kind.UNIQUE: duplicates,
    Kind.FOREIGN_KEY: orphans,
    Kind.CHECK: violations,
}
