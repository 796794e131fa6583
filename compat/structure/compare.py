"""Compare the expected tables with those found. Nothing here opens a cursor."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.rules import compare_rules
from compat.structure.sequences import compare_sequences
from compat.structure.snapshot import Column, Rule, Snapshot, Table
from compat.structure.surroundings import compare_surroundings

TypeJudge = Callable[[str, str], Severity | None]
Made = Callable[[Kind, Severity, str, object, object], Finding]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


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
    table, hint = expected.name, _("Django does not manage this table.")
    if actual is None or not actual.kind:
        yield Finding(Kind.MISSING_TABLE, INFO, table, _("The table is missing."), table, "table", hint=hint)
        return
    for name, column in expected.columns.items() if actual.columns else ():
        found = actual.columns.get(name)
        if found is None:
            yield Finding(
                Kind.MISSING_COLUMN, INFO, table, _missing(column), column.name, column.describe(), hint=hint
            )  # fmt: skip
        elif found.type and column.type != found.type and judge(column.type, found.type) not in (None, INFO):
            yield Finding(
                Kind.TYPE, INFO, table, _retyped(column, found), column.name, column.type, found.type, hint=hint
            )  # fmt: skip


def _missing(column: Column) -> str:
    return _("The column %(column)s is missing.") % {"column": column.name}


def _retyped(expected: Column, actual: Column) -> str:
    names = {"column": expected.name, "actual": actual.type, "expected": expected.type}
    return _("The column %(column)s is %(actual)s, not %(expected)s.") % names


def _table(expected: Table, actual: Table, judge: TypeJudge, declared: frozenset[str]) -> Iterator[Finding]:
    name = expected.name
    if not actual.kind:
        places = ", ".join(_("the schema %(schema)s") % {"schema": schema} for schema in actual.elsewhere)
        hint = _("A table of that name stands in %(places)s.") % {"places": places} if places else ""
        yield Finding(Kind.MISSING_TABLE, ERROR, name, _("The table is missing."), name, "table", None, hint=hint)
        return
    if actual.kind != "table":
        # Full-text search on SQLite keeps its models in virtual tables, which have no types and constraints.
        severity = INFO if actual.kind == "virtual table" else ERROR
        message = _("A %(kind)s stands where the table should be.") % {"kind": _(actual.kind)}
        yield Finding(Kind.NOT_A_TABLE, severity, name, message, name, "table", actual.kind)
        return
    if reason := expected.unreadable or actual.unreadable:
        message = _("The table could not be compared: %(reason)s") % {"reason": reason}
        yield Finding(Kind.UNJUDGED, WARNING, name, message, name, hint=_readable(expected))
        return
    if actual.storage != expected.storage:
        storage = actual.storage or "logged"
        message = _("The table is %(storage)s: its rows are lost when the server crashes.") % {"storage": storage}
        yield Finding(Kind.STORAGE, ERROR, name, message, name, expected.storage or "logged", actual.storage)
    yield from _comment(name, name, expected.comment, actual.comment)
    renamed = renames(expected, actual)
    yield from _columns(expected, actual, judge, renamed)
    yield from compare_rules(name, expected.rules, _under_new_names(actual.rules, renamed), declared)
    yield from compare_sequences(expected, actual)
    yield from compare_surroundings(actual)


def _readable(expected: Table) -> str:
    if not expected.unreadable:
        return _("Remove the reason and verify again.")
    return _(
        "The server cannot create this table: put back what it lacks, such as an extension or a function, "
        "and verify again."
    )


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
        names = {"new": new, "old": old}
        message = _("The column %(new)s is missing and %(old)s has the same shape: was it renamed?") % names
        yield Finding(Kind.RENAMED_COLUMN, ERROR, table, message, new, new, old)
    for name, column in expected.columns.items():
        if name in actual.columns:
            yield from _column(table, column, actual.columns[name], judge)
        elif column.name not in renamed.values():
            yield Finding(Kind.MISSING_COLUMN, ERROR, table, _missing(column), column.name, column.describe())
    for name, column in actual.columns.items():
        if name not in expected.columns and column.name not in renamed:
            yield _extra_column(actual, column)


def _extra_column(table: Table, column: Column) -> Finding:
    severity = INFO
    if column.nullable or column.default is not None or column.auto or column.generated:
        text = _("No model knows the column %(column)s.")
    elif table.fills_rows:
        text = _(
            "No model knows the column %(column)s, which is NOT NULL without a default: a trigger must fill it in."
        )
    else:
        severity = ERROR
        text = _("No model knows the column %(column)s, which is NOT NULL without a default: inserts fail.")
    message = text % {"column": column.name}
    return Finding(Kind.EXTRA_COLUMN, severity, table.name, message, column.name, None, column.describe())


def _column(table: str, expected: Column, actual: Column, judge: TypeJudge) -> Iterator[Finding]:
    name = expected.name

    def finding(kind: Kind, severity: Severity, message: str, wanted: object, found: object) -> Finding:
        return Finding(kind, severity, table, message, name, wanted, found)

    severity = None if expected.type == actual.type else judge(expected.type, actual.type)
    if severity:
        yield finding(Kind.TYPE, severity, _retyped(expected, actual), expected.type, actual.type)
    if expected.generated != actual.generated:
        message = _("The column %(column)s is computed differently than the model says.") % {"column": name}
        yield finding(Kind.GENERATED, ERROR, message, expected.generated, actual.generated)
    else:
        yield from _nullability(finding, expected, actual)
    yield from _default(finding, expected, actual)
    if expected.collation != actual.collation:
        severity = ERROR if expected.collation else INFO
        names = {"column": name, "actual": actual.collation or _("default"), "expected": expected.collation}
        message = _("The column %(column)s has the collation %(actual)s, not %(expected)s.") % names
        yield finding(Kind.COLLATION, severity, message, expected.collation, actual.collation)
    yield from _comment(table, name, expected.comment, actual.comment)


def _nullability(finding: Made, expected: Column, actual: Column) -> Iterator[Finding]:
    names = {"column": expected.name}
    if expected.nullable and not actual.nullable:
        message = _("The column %(column)s takes no NULL against the model.") % names
        yield finding(Kind.NULLABILITY, ERROR, message, "NULL", "NOT NULL")
    elif actual.nullable and not expected.nullable:
        message = _("The column %(column)s takes NULL against the model.") % names
        yield finding(Kind.NULLABILITY, ERROR, message, "NOT NULL", "NULL")
    elif actual.unvalidated and not expected.nullable:
        text = _("The column %(column)s takes no NULL from now on, but rows of before may hold it: it is NOT VALID.")
        yield finding(Kind.NULLABILITY, WARNING, text % names, "NOT NULL", "NOT NULL NOT VALID")


def _default(finding: Made, expected: Column, actual: Column) -> Iterator[Finding]:
    if expected.auto and actual.auto != expected.auto and actual.auto in (None, "always"):
        text = (
            _("The key %(key)s refuses keys that the application gives: it is %(actual)s, not %(expected)s.")
            if actual.auto
            else _("The key %(key)s no longer numbers its rows: it is %(actual)s, not %(expected)s.")
        )
        message = text % {"key": expected.name, "actual": actual.auto or _("plain"), "expected": expected.auto}
        yield finding(Kind.IDENTITY, ERROR, message, expected.auto, actual.auto)
    elif expected.default != actual.default:
        severity = INFO if expected.default is None else ERROR
        names = {"column": expected.name, "actual": actual.default, "expected": expected.default}
        message = _("The column %(column)s has the default %(actual)s, not %(expected)s.") % names
        yield finding(Kind.DEFAULT, severity, message, expected.default, actual.default)


def _comment(table: str, name: str, expected: str | None, actual: str | None) -> Iterator[Finding]:
    if expected != actual:
        message = _("The comment of %(name)s differs from the model's.") % {"name": name}
        yield Finding(Kind.COMMENT, INFO, table, message, name, expected, actual)
