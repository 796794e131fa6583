"""A column is missing, and an extra column looks like it."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides


class RenamedColumn(Kind):
    """It is never repaired: adding an empty column would hide where the values are."""

    name = "renamed_column"
    number = 5
    title = "Renamed column?"
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("A column is missing, and an extra column has the same definition, or nearly the same name."),
            danger="Queries on the model fail; adding an empty column would hide where the values are.",
            remedy=(
                "Manual: rename the column back, or rename the field with a migration. If the two columns are "
                "unrelated, add the missing column yourself."
            ),
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for old, new in sides.renamed.items():
            facts = {"new": new, "old": old}
            message = _("The column %(new)s is missing, and %(old)s seems to be it: was it renamed?") % facts
            yield self.finding(Severity.ERROR, sides.name, message, new, new, old)

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        old, new = str(repair.finding.actual), str(repair.finding.object)
        return repair.dialect.ddl.rename_column(repair.sides, old, new)
