"""The table has a column that no model declares."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.schema import Column


class ExtraColumn(Kind):
    """It is an error where every insert fails because the column needs a value."""

    name = "extra_column"
    number = 4
    title = "Extra column"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The table has a NOT NULL column without a default that no model has.",
            danger="Every insert fails.",
            remedy=("Manual: drop the column, give it a default, or allow NULL. A repair never drops anything."),
        ),
        Severity.INFO: Documentation(
            meaning=(
                "The table has a column that no model has, and that needs no value or, on PostgreSQL, may get it "
                "from a trigger before the insert."
            ),
            danger="None.",
            remedy="None needed. If another application uses the column, keep it.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for name, column in sides.actual.columns.items():
            if name not in sides.expected.columns and column.name not in sides.renamed:
                yield self._found(sides, column)

    def _found(self, sides: Sides, column: Column) -> Finding:
        severity = Severity.INFO
        if column.nullable or column.default is not None or column.auto or column.generated:
            text = _("No model has the column %(column)s.")
        elif sides.actual.fills_rows:
            text = _("No model has the column %(column)s, which is NOT NULL without a default. A trigger may fill it.")
        else:
            severity = Severity.ERROR
            text = _("No model has the column %(column)s, which is NOT NULL without a default: inserts fail.")
        message = text % {"column": column.name}
        return self.finding(severity, sides.name, message, column.name, None, column.describe())

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        return repair.dialect.ddl.drop_column(repair.sides, str(repair.finding.object))
