"""The sequence of a key gives keys in use, ends early, or counts in the wrong way."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.schema import Sequence as KeySequence
from compat.structure.steps import Step


class KeySequenceKind(Kind):
    """The repair raises the sequence, never lowers it."""

    name = "sequence"
    number = 12
    title = "Sequence"
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("The next value of a key's sequence is in use, the sequence has ended, or it counts down."),
            danger="The next inserts fail, or get keys below zero.",
            remedy="`--fix` raises the sequence above the largest key and makes it count up.",
        ),
        Severity.WARNING: Documentation(
            meaning=(
                "The sequence ends before the column does, as after a 32-bit key was widened, or restarts when it "
                "ends (CYCLE)."
            ),
            danger="Inserts fail when the sequence ends.",
            remedy="`--fix`.",
        ),
        Severity.INFO: Documentation(
            meaning=(
                "The sequence ends where the key ends that the app's migrations created, and `DEFAULT_AUTO_FIELD` "
                "now names a wider one."
            ),
            danger="None before the key itself is exhausted.",
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        expected = {sequence.column: sequence for sequence in sides.expected.sequences}
        for actual in sides.actual.sequences:
            if actual.column in expected:
                yield from self._compare(sides.name, expected[actual.column], actual)

    def _compare(self, table: str, expected: KeySequence, actual: KeySequence) -> Iterator[Finding]:
        column, highest, coming = actual.column, actual.largest_key, actual.next_value
        facts = {"column": column, "coming": coming, "highest": highest, "last": actual.last_possible}
        if actual.descends:
            message = _("The sequence of %(column)s counts down, to keys in use or below zero.") % facts
            yield self.finding(Severity.ERROR, table, message, column, "counts up", "counts down")
        elif highest is not None and coming is not None and coming <= highest:
            text = _("The sequence of %(column)s gives %(coming)s next, but %(highest)s is in use: inserts fail.")
            yield self.finding(Severity.ERROR, table, text % facts, column, highest + 1, coming)
        elif coming is not None and coming > actual.last_possible and not actual.cycles:
            message = _("The sequence of %(column)s has ended at %(last)s: inserts fail.") % facts
            is_short = actual.last_possible < expected.last_possible
            hint = "" if is_short else _("No key is left. Give the model a wider key.")
            yield self.finding(Severity.ERROR, table, message, column, expected.last_possible, coming, hint=hint)
        elif actual.last_possible < expected.last_possible:
            text = _("The sequence of %(column)s ends at %(last)s, before the largest value of the column.")
            last = expected.last_possible, actual.last_possible
            yield self.finding(Severity.WARNING, table, text % facts, column, *last)
        elif actual.cycles:
            message = _("The sequence of %(column)s restarts when it ends and then gives keys in use.") % facts
            yield self.finding(Severity.WARNING, table, message, column, "NO CYCLE", "CYCLE")

    def steps(self, repair: Repair) -> Sequence[Step]:
        return repair.dialect.ddl.repair_sequence(repair.sides, str(repair.finding.object))
