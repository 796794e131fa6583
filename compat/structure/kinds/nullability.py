"""A column allows NULL although the model does not, or the other way round."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.kinds.rows import row_keys
from compat.structure.matching import Sides
from compat.structure.schema import Column
from compat.structure.steps import DataCheck, Step


class Nullability(Kind):
    """A generated column with another expression is a finding of its own, and nothing is said about its NULLs."""

    name = "nullability"
    number = 7
    title = "Nullability"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The column allows NULL and the model does not, or the other way round.",
            danger="NULL values where code expects none, or inserts that fail.",
            remedy="`--fix`. Rows with NULL prevent it, and the finding names them.",
        ),
        Severity.WARNING: Documentation(
            meaning="On PostgreSQL 18: the NOT NULL constraint of the column is NOT VALID.",
            danger="Older rows may contain NULL.",
            remedy="`--fix` validates it. Rows with NULL prevent it, and the finding names them.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            if expected.generated == actual.generated:
                yield from self._compare(sides, expected, actual)

    def _compare(self, sides: Sides, expected: Column, actual: Column) -> Iterator[Finding]:
        name, facts = expected.name, {"column": expected.name}
        if expected.nullable and not actual.nullable:
            message = _("The column %(column)s is NOT NULL, but the model allows NULL.") % facts
            yield self.finding(Severity.ERROR, sides.name, message, name, "NULL", "NOT NULL")
        elif actual.nullable and not expected.nullable:
            message = _("The column %(column)s allows NULL, but the model does not.") % facts
            yield self.finding(Severity.ERROR, sides.name, message, name, "NOT NULL", "NULL")
        elif actual.unvalidated and not expected.nullable:
            text = _("The column %(column)s has a NOT NULL constraint that is NOT VALID: older rows may contain NULL.")
            yield self.finding(Severity.WARNING, sides.name, text % facts, name, "NOT NULL", "NOT NULL NOT VALID")

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        yield from null_checks(repair)

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = repair.sides.expected.column(repair.finding.object)
        return repair.dialect.ddl.change_nullability(repair.sides, column) if column else ()


def null_checks(repair: Repair) -> Iterator[DataCheck]:
    """Yield the check for NULLs in a column that must have none."""
    column = repair.sides.expected.column(repair.finding.object)
    if column is None or column.nullable:
        return
    ddl = repair.dialect.ddl
    table, name = ddl.table(repair.sides.name), ddl.quote(column.name)
    query = f"SELECT {row_keys(repair, column.name)} FROM {table} WHERE {name} IS NULL"  # noqa: S608  quoted
    text = ngettext_lazy("%(count)d row has NULL in %(column)s", "%(count)d rows have NULL in %(column)s", "count")
    yield DataCheck(query, text, {"column": column.name})
