"""A generated column is plain, or is computed by another expression."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides


class Generated(Kind):
    """It is never repaired, because the column would have to be dropped."""

    name = "generated"
    number = 10
    title = "Generated column"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="A generated column is plain, or its expression or storage differs.",
            danger="Values are missing or wrong.",
            remedy="Manual: the column must be dropped and added again, which a repair never does.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            if expected.generated != actual.generated:
                text = _("The column %(column)s is not computed as the model declares.")
                message = text % {"column": expected.name}
                yield self.finding(
                    Severity.ERROR, sides.name, message, expected.name, expected.generated, actual.generated
                )

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        name = str(repair.finding.object)
        return repair.dialect.ddl.regenerate(repair.sides, repair.sides.expected.column(name), name)
