"""Judge the sequences behind the keys."""

from collections.abc import Iterator

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
        message = f"Whether the sequence of {actual.column} is behind cannot be told without the right to read."
        hint = f"GRANT SELECT ON {actual.unreadable} to the role that verifies."
        yield Finding(Kind.UNJUDGED, severity, table, message, actual.column, hint=hint)


def _sequence(table: str, expected: Sequence, actual: Sequence) -> Iterator[Finding]:
    column, highest, coming = actual.column, actual.largest_key, actual.next_value
    if actual.descends:
        message = f"The sequence of {column} counts down, towards keys that are in use or below zero."
        yield Finding(Kind.SEQUENCE, ERROR, table, message, column, "counts up", DOWN)
    elif highest is not None and coming is not None and coming <= highest:
        message = f"The sequence of {column} gives {coming} next, but {highest} is in use: inserts fail."
        yield Finding(Kind.SEQUENCE, ERROR, table, message, column, highest + 1, coming)
    elif coming is not None and coming > actual.last_possible and not actual.cycles:
        message = f"The sequence of {column} has ended at {actual.last_possible}: inserts fail."
        hint = "" if actual.last_possible < expected.last_possible else "No key is left: give the model a wider one."
        yield Finding(Kind.SEQUENCE, ERROR, table, message, column, expected.last_possible, coming, hint=hint)
    elif actual.last_possible < expected.last_possible:
        message = f"The sequence of {column} ends at {actual.last_possible}, the column goes further."
        yield Finding(Kind.SEQUENCE, WARNING, table, message, column, expected.last_possible, actual.last_possible)
    elif actual.cycles:
        message = f"The sequence of {column} begins again when it ends, with keys that are in use."
        yield Finding(Kind.SEQUENCE, WARNING, table, message, column, "NO CYCLE", CYCLES)
