"""Judge what stands around a table's rows and no model knows: triggers, rules, row-level security."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.snapshot import Table, Visibility

WORDS = {"trigger": gettext_lazy("trigger"), "rule": gettext_lazy("rule")}
DISABLED = " (disabled)"
ROW_SECURITY = {
    Visibility.NOTHING: (
        Severity.ERROR,
        gettext_lazy("Row-level security lets this role see no row, for no policy allows it any."),
    ),
    Visibility.ONLY_HERE: (
        Severity.WARNING,
        gettext_lazy("Row-level security without a policy hides every row from other roles."),
    ),
    Visibility.BY_POLICY: (
        Severity.INFO,
        gettext_lazy("Row-level security lets this role see and write what its policies allow."),
    ),
    Visibility.ALL_HERE: (
        Severity.INFO,
        gettext_lazy("Row-level security lets other roles see and write what its policies allow."),
    ),
}


def compare_surroundings(actual: Table) -> Iterator[Finding]:
    """Yield what the table has beside columns, constraints and indexes."""
    name = actual.name
    for trigger in actual.triggers:
        word, about = trigger.removesuffix(DISABLED).split(" ", 1)
        what = _("%(name)s (disabled)") % {"name": about} if trigger.endswith(DISABLED) else about
        text = _("No model knows the %(kind)s %(name)s: it may change what is written.")
        message = text % {"kind": WORDS[word], "name": what}
        yield Finding(Kind.TRIGGER, Severity.INFO, name, message, about, None, trigger)
    if actual.visibility is not Visibility.EVERYTHING:
        severity, meaning = ROW_SECURITY[actual.visibility]
        yield Finding(Kind.ROW_SECURITY, severity, name, str(meaning), name, None, actual.visibility.value)
