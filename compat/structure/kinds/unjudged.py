"""A table or sequence could not be compared."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Severity
from compat.structure.matching import Sides
from compat.structure.schema import RelationKind, Table


class Unjudged(Kind):
    """It is a doubt, not a difference: without an error beside it there is no verdict."""

    name = "unjudged"
    number = 22
    title = "Not compared"
    compares = False
    is_difference = False
    documentation = {
        Severity.WARNING: Documentation(
            meaning=(
                "The table could not be compared, or its SELECT privilege is missing so that its sequence could not "
                "be checked; the message gives the reason, such as a missing extension, a definition that cannot be "
                "parsed or a missing privilege. Without an error beside it the status is `unverifiable` and the "
                "exit code 2."
            ),
            danger="Unknown.",
            remedy=(
                "Remove the reason, for example with `GRANT SELECT` on the object that the hint names, and verify "
                "again."
            ),
        ),
        Severity.INFO: Documentation(
            meaning=("The role may read the table but not its sequence, so that the sequence cannot be checked."),
            danger=("None for the structure; inserts fail if the sequence is behind, and this would not be reported."),
            remedy="`GRANT SELECT` on the sequence that the hint names, if this matters.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        if sides.actual.kind is not RelationKind.TABLE:
            return
        if reason := sides.expected.unreadable or sides.actual.unreadable:
            message = _("The table could not be compared: %(reason)s") % {"reason": reason}
            hint = _hint(sides.expected)
            yield self.finding(Severity.WARNING, sides.name, message, sides.name, hint=hint)
            return
        expected = {sequence.column for sequence in sides.expected.sequences}
        for sequence in sides.actual.sequences:
            if sequence.column in expected and sequence.unreadable:
                # A role that may only read tables has no privilege on sequences; nothing else is in doubt.
                severity = Severity.INFO if sequence.unreadable == sequence.name else Severity.WARNING
                text = _("Cannot check the sequence of %(column)s: the SELECT privilege is missing.")
                hint = _("GRANT SELECT ON %(name)s to the role that verifies.") % {"name": sequence.unreadable}
                message = text % {"column": sequence.column}
                yield self.finding(severity, sides.name, message, sequence.column, hint=hint)


def _hint(expected: Table) -> str:
    if not expected.unreadable:
        return _("Remove the reason and verify again.")
    return _(
        "The server cannot create this table. Install what it lacks, such as an extension or a function, "
        "and verify again."
    )
