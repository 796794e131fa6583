"""Judge what stands around a table's rows and no model knows: triggers, rules, row-level security."""

from collections.abc import Iterator, Mapping

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.snapshot import Table, Visibility

ROW_SECURITY: Mapping[Visibility, tuple[Severity, str]] = {
    Visibility.NOTHING: (Severity.ERROR, "Row-level security lets this role see no row, for no policy allows it any."),
    Visibility.ONLY_HERE: (Severity.WARNING, "Row-level security without a policy hides every row from other roles."),
    Visibility.BY_POLICY: (Severity.INFO, "Row-level security lets this role see and write what its policies allow."),
    Visibility.ALL_HERE: (Severity.INFO, "Row-level security lets other roles see and write what its policies allow."),
}


def compare_surroundings(actual: Table) -> Iterator[Finding]:
    """Yield what the table has beside columns, constraints and indexes."""
    name = actual.name
    for trigger in actual.triggers:
        message = f"No model knows the {trigger}: it may change what is written."
        about = trigger.partition(" ")[2].removesuffix(" (disabled)")
        yield Finding(Kind.TRIGGER, Severity.INFO, name, message, about, None, trigger)
    if actual.visibility is not Visibility.EVERYTHING:
        severity, message = ROW_SECURITY[actual.visibility]
        yield Finding(Kind.ROW_SECURITY, severity, name, message, name, None, actual.visibility.value)
