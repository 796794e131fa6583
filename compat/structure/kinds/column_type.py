"""A column has another type than the model."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.schema import Column, TypeDifference
from compat.structure.steps import DataCheck, Step

SEVERITIES = {
    TypeDifference.INCOMPATIBLE: Severity.ERROR,
    TypeDifference.WIDER: Severity.WARNING,
    TypeDifference.SPELLING: Severity.INFO,
}


class ColumnType(Kind):
    """The repair converts every value, after a check that none changes."""

    name = "type"
    number = 6
    title = "Column type"
    replaces_column = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("The column's type cannot hold every value of the model's type, or has another meaning."),
            danger="Writes fail, are cut, or are stored as something else.",
            remedy=(
                "`--fix` where the change reads no rows (a longer `varchar`), else `--fix --rewrite`. Both check "
                "the values first; if a value would change, the finding names it and the column stays."
            ),
        ),
        Severity.WARNING: Documentation(
            meaning=(
                "The column takes every value of the model's type and more, or, on SQLite, declares another length."
            ),
            danger="A length or precision of the model is not enforced.",
            remedy="`--fix --rewrite`, after a check of the values.",
        ),
        Severity.INFO: Documentation(
            meaning=(
                "On SQLite: another word for a type of the same affinity, such as `integer` for `bigint`. On every "
                "database: an automatic key, or a column that refers to one, is as narrow as the app's migrations "
                "created it under another `DEFAULT_AUTO_FIELD`; or a column of an unmanaged model has another type "
                "than the model; `-v 2` lists it."
            ),
            danger=(
                "None on SQLite, which stores both alike. None for the structure of an unmanaged table, which "
                "Django does not manage; values may be read as another type than the model's."
            ),
            remedy="None needed, or correct the model.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            difference = None if expected.type == actual.type else sides.type_difference(expected.type, actual.type)
            if difference is not None:
                message, severity = retyped_message(expected, actual), SEVERITIES[difference]
                yield self.finding(severity, sides.name, message, expected.name, expected.type, actual.type)

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        yield from conversion_checks(repair)

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = repair.sides.expected.column(repair.finding.object)
        return repair.dialect.ddl.change_type(repair.sides, column) if column else ()


def conversion_checks(repair: Repair) -> Iterator[DataCheck]:
    """Yield the checks for what prevents a change of the column's type or collation."""
    sides, types = repair.sides, repair.dialect.types
    expected, actual = sides.expected.column(repair.finding.object), sides.actual.column(repair.finding.object)
    if expected is None or actual is None:
        return
    if dependents := types.dependents(sides.actual, expected):
        yield dependents
    if expected.type != actual.type and (lost := types.values_lost(sides.actual, expected, actual)):
        yield lost


def retyped_message(expected: Column, actual: Column) -> str:
    """Return the message for a column of another type."""
    facts = {"column": expected.name, "actual": actual.type, "expected": expected.type}
    return _("The column %(column)s is %(actual)s, not %(expected)s.") % facts
