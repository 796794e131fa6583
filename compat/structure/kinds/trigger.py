"""The table has a trigger, or a rule of PostgreSQL."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Severity
from compat.structure.matching import Sides


class TriggerKind(Kind):
    """Models declare no triggers, so that each one is reported."""

    name = "trigger"
    number = 23
    title = "Trigger"
    documentation = {
        Severity.INFO: Documentation(
            meaning="The table has a trigger, or on PostgreSQL a rule, that no model has.",
            danger=(
                "None by itself; it may change or refuse what the application writes. On SQLite it prevents a "
                "rebuild of the table."
            ),
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for trigger in sides.actual.triggers:
            noun = _("rule") if trigger.is_rule else _("trigger")
            name = trigger.name if trigger.enabled else _("%(name)s (disabled)") % {"name": trigger.name}
            text = _("No model has the %(kind)s %(name)s. It may change what is written.")
            message = text % {"kind": noun, "name": name}
            yield self.finding(Severity.INFO, sides.name, message, trigger.name, None, trigger.describe())
