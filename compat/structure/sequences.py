"""Judge the sequences behind the keys."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.snapshot import Sequence, Table

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
DOWN, CYCLES = "counts down", "CYCLE"


def compare_sequences(expected: Table, actual: Table) -> Iterator[Finding]:
    """Yield what is wrong with the sequences of columns whose keys the model lets the database give."""
    wanted = {sequence.column: sequence for sequence in expected.sequences}
    for found in actual.sequences:
        if found.column in wanted:
            yield from _doubt(expected.name, found)
            yield from _sequence(expected.name, wanted[found.column], found)


def _doubt(table: str, actual: Sequence) -> Iterator[Finding]:
    if actual.unreadable:
        # A role that may only read tables has no right to sequences; nothing else about the table is in doubt.
        severity = INFO if actual.unreadable == actual.name else WARNING
        text = _("Whether the sequence of %(column)s is behind cannot be told without the right to read.")
        hint = _("GRANT SELECT ON %(name)s to the role that verifies.") % {"name": actual.unreadable}
        yield Finding(Kind.UNJUDGED, severity, table, text % {"column": actual.column}, actual.column, hint=hint)


def _sequence(table: str, expected: Sequence, actual: Sequence) -> Iterator[Finding]:
    column, highest, coming = actual.column, actual.largest_key, actual.next_value
    names = {"column": column, "coming": coming, "highest": highest, "last": actual.last_possible}
    if actual.descends:
        message = _("The sequence of %(column)s counts down, towards keys that are in use or below zero.") % names
        yield Finding(Kind.SEQUENCE, ERROR, table, message, column, "counts up", DOWN)
    elif highest is not None and coming is not None and coming <= highest:
        text = _("The sequence of %(column)s gives %(coming)s next, but %(highest)s is in use: inserts fail.")
        yield Finding(Kind.SEQUENCE, ERROR, table, text % names, column, highest + 1, coming)
    elif coming is not None and coming > actual.last_possible and not actual.cycles:
        message = _("The sequence of %(column)s has ended at %(last)s: inserts fail.") % names
        hint = "" if actual.last_possible < expected.last_possible else _("No key is left: give the model a wider one.")
        yield Finding(Kind.SEQUENCE, ERROR, table, message, column, expected.last_possible, coming, hint=hint)
    elif actual.last_possible < expected.last_possible:
        message = _("The sequence of %(column)s ends at %(last)s, the column goes further.") % names
        yield Finding(Kind.SEQUENCE, WARNING, table, message, column, expected.last_possible, actual.last_possible)
    elif actual.cycles:
        message = _("The sequence of %(column)s begins again when it ends, with keys that are in use.") % names
        yield Finding(Kind.SEQUENCE, WARNING, table, message, column, "NO CYCLE", CYCLES)
