"""Something else has the name of a model's table."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.schema import RelationKind


class NotATable(Kind):
    """A virtual table is information, because full-text search on SQLite keeps its models in such tables."""

    name = "not_a_table"
    number = 2
    title = "Another object with the table's name"
    compares = False
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("A view, materialized view, foreign table, sequence, index or type has the table's name."),
            danger="Writes fail or go elsewhere, and the table's guarantees are missing.",
            remedy="Manual: rename the other object, then `--fix`.",
        ),
        Severity.INFO: Documentation(
            meaning="On SQLite, a virtual table, as used for full-text search, has the table's name.",
            danger="None if an app created it on purpose; it has no constraints to compare.",
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        kind = sides.actual.kind
        if kind in (RelationKind.ABSENT, RelationKind.TABLE):
            return
        severity = Severity.INFO if kind is RelationKind.VIRTUAL_TABLE else Severity.ERROR
        message = _("The object with the table's name is a %(kind)s.") % {"kind": _(kind.value)}
        yield self.finding(severity, sides.name, message, sides.name, "table", kind.value)

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        return repair.dialect.ddl.move_away(repair.sides)
