"""Compare the expected tables with those found. Nothing here opens a cursor."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.rules import compare_rules
from compat.structure.sequences import compare_sequences
from compat.structure.snapshot import Column, Rule, Snapshot, Table
from compat.structure.surroundings import compare_surroundings

TypeJudge = Callable[[str, str], Severity | None]
Made = Callable[[Kind, Severity, str, object, object], Finding]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
CANNOT_CREATE = (
    "The server cannot create this table: put back what it lacks, such as an extension or a function, and verify again."
)
UNMANAGED = "Django does not manage this table."


def compare(
    expected: Snapshot, actual: Snapshot, judge: TypeJudge, declared: Mapping[str, frozenset[str]]
) -> tuple[Finding, ...]:
    """Return the differences, in the order of the expected tables.

    `judge` says how bad a differing type is, None when it is none; `declared` holds, by table, the names of
    rules that a model declares and later migrations will look for.
    """
    found: list[Finding] = []
    for name, table in expected.items():
        found += _table(table, actual.get(name, Table(name, "")), judge, declared.get(name, frozenset()))
    return tuple(found)


def loosely(expected: Snapshot, actual: Snapshot, judge: TypeJudge) -> tuple[Finding, ...]:
    """Return, as information, which tables and columns are not as models say whose tables others manage.

    Such a table may be a view, or hold more than the model knows; only what the model reads is looked at.
    """
    return tuple(
        finding for name, table in expected.items() for finding in _loose_table(table, actual.get(name), judge)
    )


def _loose_table(expected: Table, actual: Table | None, judge: TypeJudge) -> Iterator[Finding]:
    table = expected.name
    if actual is None or not actual.kind:
        yield Finding(Kind.MISSING_TABLE, INFO, table, "The table is missing.", table, "table", hint=UNMANAGED)
        return
    for name, column in expected.columns.items() if actual.columns else ():
        found = actual.columns.get(name)
        if found is None:
            message = f"The column {column.name} is missing."
            yield Finding(
                Kind.MISSING_COLUMN, INFO, table, message, column.name, column.describe(), hint=UNMANAGED
            )  # fmt: skip
        elif found.type and column.type != found.type and judge(column.type, found.type) not in (None, INFO):
            message = f"The column {column.name} is {found.type}, not {column.type}."
            yield Finding(Kind.TYPE, INFO, table, message, column.name, column.type, found.type, hint=UNMANAGED)


def _table(expected: Table, actual: Table, judge: TypeJudge, declared: frozenset[str]) -> Iterator[Finding]:
    name = expected.name
    if not actual.kind:
        places = ", ".join(f"the schema {schema}" for schema in actual.elsewhere)
        hint = f"A table of that name stands in {places}." if places else ""
        yield Finding(Kind.MISSING_TABLE, ERROR, name, "The table is missing.", name, "table", None, hint=hint)
        return
    if actual.kind != "table":
        # Full-text search on SQLite keeps its models in virtual tables, which have no types and constraints.
        severity = INFO if actual.kind == "virtual table" else ERROR
        message = f"A {actual.kind} stands where the table should be."
        yield Finding(Kind.NOT_A_TABLE, severity, name, message, name, "table", actual.kind)
        return
    if reason := expected.unreadable or actual.unreadable:
        message = f"The table could not be compared: {reason}"
        hint = CANNOT_CREATE if expected.unreadable else "Remove the reason and verify again."
        yield Finding(Kind.UNJUDGED, WARNING, name, message, name, hint=hint)
        return
    if actual.storage != expected.storage:
        message = f"The table is {actual.storage or 'logged'}: its rows are lost when the server crashes."
        yield Finding(Kind.STORAGE, ERROR, name, message, name, expected.storage or "logged", actual.storage)
    yield from _comment(name, name, expected.comment, actual.comment)
    renamed = renames(expected, actual)
    yield from _columns(expected, actual, judge, renamed)
    yield from compare_rules(name, expected.rules, _under_new_names(actual.rules, renamed), declared)
    yield from compare_sequences(expected, actual)
    yield from compare_surroundings(actual)


def renames(expected: Table, actual: Table) -> Mapping[str, str]:
    """Return old name → new name for each missing column beside exactly one extra column of the same shape."""
    missing = [column for name, column in expected.columns.items() if name not in actual.columns]
    extra = [column for name, column in actual.columns.items() if name not in expected.columns]
    wanted, offered = Counter(c.shape for c in missing), Counter(c.shape for c in extra)
    return {
        old.name: new.name
        for new in missing
        for old in extra
        if old.shape == new.shape and wanted[new.shape] == offered[new.shape] == 1
    }


def _under_new_names(rules: Iterable[Rule], renamed: Mapping[str, str]) -> tuple[Rule, ...]:
    return tuple(replace(rule, columns=tuple(renamed.get(name, name) for name in rule.columns)) for rule in rules)


def _columns(expected: Table, actual: Table, judge: TypeJudge, renamed: Mapping[str, str]) -> Iterator[Finding]:
    table = expected.name
    for old, new in renamed.items():
        message = f"The column {new} is missing and {old} has the same shape: was it renamed?"
        yield Finding(Kind.RENAMED_COLUMN, ERROR, table, message, new, new, old)
    for name, column in expected.columns.items():
        if name in actual.columns:
            yield from _column(table, column, actual.columns[name], judge)
        elif column.name not in renamed.values():
            message = f"The column {column.name} is missing."
            yield Finding(Kind.MISSING_COLUMN, ERROR, table, message, column.name, column.describe())
    for name, column in actual.columns.items():
        if name not in expected.columns and column.name not in renamed:
            yield _extra_column(actual, column)


def _extra_column(table: Table, column: Column) -> Finding:
    severity, message = INFO, f"No model knows the column {column.name}"
    if not (column.nullable or column.default is not None or column.auto or column.generated):
        message += ", which is NOT NULL without a default"
        severity = INFO if table.fills_rows else ERROR
        message += ": a trigger must fill it in" if table.fills_rows else ": inserts fail"
    return Finding(
        Kind.EXTRA_COLUMN, severity, table.name, f"{message}.", column.name, None, column.describe()
    )  # fmt: skip


def _column(table: str, expected: Column, actual: Column, judge: TypeJudge) -> Iterator[Finding]:
    name = expected.name

    def finding(kind: Kind, severity: Severity, message: str, wanted: object, found: object) -> Finding:
        return Finding(kind, severity, table, message, name, wanted, found)

    severity = None if expected.type == actual.type else judge(expected.type, actual.type)
    if severity:
        message = f"The column {name} is {actual.type}, not {expected.type}."
        yield finding(Kind.TYPE, severity, message, expected.type, actual.type)
    if expected.generated != actual.generated:
        message = f"The column {name} is computed differently than the model says."
        yield finding(Kind.GENERATED, ERROR, message, expected.generated, actual.generated)
    else:
        yield from _nullability(finding, expected, actual)
    yield from _default(finding, expected, actual)
    if expected.collation != actual.collation:
        severity = ERROR if expected.collation else INFO
        message = f"The column {name} has the collation {actual.collation or 'default'}, not {expected.collation}."
        yield finding(Kind.COLLATION, severity, message, expected.collation, actual.collation)
    yield from _comment(table, name, expected.comment, actual.comment)


def _nullability(finding: Made, expected: Column, actual: Column) -> Iterator[Finding]:
    name = expected.name
    if expected.nullable != actual.nullable:
        message = f"The column {name} {'takes no NULL' if expected.nullable else 'takes NULL'} against the model."
        words = ("NOT NULL", "NULL")
        yield finding(Kind.NULLABILITY, ERROR, message, words[expected.nullable], words[actual.nullable])
    elif actual.unvalidated and not expected.nullable:
        message = f"The column {name} takes no NULL from now on, but rows of before may hold it: it is NOT VALID."
        yield finding(Kind.NULLABILITY, WARNING, message, "NOT NULL", "NOT NULL NOT VALID")


def _default(finding: Made, expected: Column, actual: Column) -> Iterator[Finding]:
    name = expected.name
    if expected.auto and actual.auto != expected.auto and actual.auto in (None, "always"):
        lost = "refuses keys that the application gives" if actual.auto else "no longer numbers its rows"
        message = f"The key {name} {lost}: it is {actual.auto or 'plain'}, not {expected.auto}."
        yield finding(Kind.IDENTITY, ERROR, message, expected.auto, actual.auto)
    elif expected.default != actual.default:
        severity = INFO if expected.default is None else ERROR
        message = f"The column {name} has the default {actual.default}, not {expected.default}."
        yield finding(Kind.DEFAULT, severity, message, expected.default, actual.default)


def _comment(table: str, name: str, expected: str | None, actual: str | None) -> Iterator[Finding]:
    if expected != actual:
        message = f"The comment of {name} differs from the model's."
        yield Finding(Kind.COMMENT, INFO, table, message, name, expected, actual)
