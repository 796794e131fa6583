"""A table is unlogged."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.steps import Step

LOGGED, UNLOGGED = "logged", "UNLOGGED"


class Storage(Kind):
    """The repair writes the whole table to the log."""

    name = "storage"
    number = 19
    title = "Unlogged table"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The table is UNLOGGED on PostgreSQL.",
            danger="All its rows are lost when the server crashes, and a standby has none.",
            remedy="`--fix --rewrite`.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        if sides.actual.unlogged and not sides.expected.unlogged:
            message = _("The table is UNLOGGED: a crash of the server loses all its rows.")
            yield self.finding(Severity.ERROR, sides.name, message, sides.name, LOGGED, UNLOGGED)

    def steps(self, repair: Repair) -> Sequence[Step]:
        return repair.dialect.ddl.set_logged(repair.sides)
