"""The database no longer numbers the rows of an automatic key, or refuses given keys."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.kinds.nullability import null_checks
from compat.structure.matching import Sides
from compat.structure.schema import AutoNumber, Column
from compat.structure.steps import DataCheck, Step


class Identity(Kind):
    """The repair makes the database number the rows from the largest key on."""

    name = "identity"
    number = 11
    title = "Automatic key"
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("A key no longer numbers its rows, is `GENERATED ALWAYS`, or, on SQLite, lost `AUTOINCREMENT`."),
            danger="Inserts fail; on SQLite the ids of deleted rows are used again.",
            remedy="`--fix` on PostgreSQL, `--fix --rewrite` on SQLite.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.columns():
            if not lost_numbering(expected, actual):
                continue
            text = (
                _("The key %(key)s refuses keys that the application gives: it is %(actual)s, not %(expected)s.")
                if actual.auto
                else _("The key %(key)s no longer numbers its rows: it is %(actual)s, not %(expected)s.")
            )
            message = text % {"key": expected.name, "actual": actual.auto or _("plain"), "expected": expected.auto}
            yield self.finding(Severity.ERROR, sides.name, message, expected.name, expected.auto, actual.auto)

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        yield from null_checks(repair)

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = repair.sides.expected.column(repair.finding.object)
        return repair.dialect.ddl.restore_numbering(repair.sides, column) if column else ()


def lost_numbering(expected: Column, actual: Column) -> bool:
    """Whether a key does not number its rows as the model needs it."""
    return bool(expected.auto) and actual.auto != expected.auto and actual.auto in (None, AutoNumber.ALWAYS)
