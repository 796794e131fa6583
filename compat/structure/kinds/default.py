"""A column has another default than the model declares."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.kinds.identity import lost_numbering
from compat.structure.matching import Sides
from compat.structure.steps import Step


class Default(Kind):
    """The default of a key that no longer numbers its rows belongs to that finding."""

    name = "default"
    number = 8
    title = "Default"
    needs_type = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The column's default is not the model's `db_default`.",
            danger="Rows get a wrong value, or inserts fail.",
            remedy="`--fix`.",
        ),
        Severity.INFO: Documentation(
            meaning="The column has a default that the model does not declare.",
            danger="None for Django, which always gives a value.",
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            if expected.default == actual.default or lost_numbering(expected, actual):
                continue
            severity = Severity.INFO if expected.default is None else Severity.ERROR
            facts = {"column": expected.name, "actual": actual.default, "expected": expected.default}
            message = _("The column %(column)s has the default %(actual)s, not %(expected)s.") % facts
            yield self.finding(severity, sides.name, message, expected.name, expected.default, actual.default)

    def needs(self, repair: Repair) -> Iterator[tuple[str, str]]:
        yield repair.sides.name, str(repair.finding.object)

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = repair.sides.expected.column(repair.finding.object)
        return repair.dialect.ddl.set_default(repair.sides, column) if column else ()
