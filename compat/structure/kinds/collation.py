"""A column has another collation than the model declares."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.kinds.column_type import conversion_checks
from compat.structure.matching import Sides
from compat.structure.steps import DataCheck, Step


class Collation(Kind):
    """A collation that the model does not declare is information."""

    name = "collation"
    number = 9
    title = "Collation"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The column does not have the collation that the model declares.",
            danger="Comparisons, uniqueness and order differ.",
            remedy="`--fix --rewrite`.",
        ),
        Severity.INFO: Documentation(
            meaning="The column has a collation that the model does not declare.",
            danger="Order and comparison may differ from what the code expects.",
            remedy="None needed, or declare it with `db_collation`.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            if expected.collation == actual.collation:
                continue
            severity = Severity.ERROR if expected.collation else Severity.INFO
            facts = {"actual": actual.collation or _("default"), "expected": expected.collation or _("default")}
            text = _("The column %(column)s has the collation %(actual)s, not %(expected)s.")
            message = text % {"column": expected.name, **facts}
            yield self.finding(severity, sides.name, message, expected.name, expected.collation, actual.collation)

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        yield from conversion_checks(repair)

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = repair.sides.expected.column(repair.finding.object)
        return repair.dialect.ddl.change_collation(repair.sides, column) if column else ()
