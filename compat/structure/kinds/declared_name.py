"""A constraint or index has another name than the model declares."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Severity
from compat.structure.matching import Sides


class DeclaredName(Kind):
    """Only names in a model's Meta count, because later migrations look for them."""

    name = "name"
    number = 21
    title = "Declared name"
    documentation = {
        Severity.INFO: Documentation(
            meaning=("An index or constraint has the right meaning under another name than its Meta declares."),
            danger="A later migration that changes it will not find it.",
            remedy="Rename it.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for expected, actual in sides.matching.pairs:
            same = expected.signature == actual.signature and expected.state() == actual.state()
            if same and expected.name != actual.name and expected.name in sides.declared:
                facts = {"kind": expected.noun, "name": actual.name, "expected": expected.name}
                message = _("The %(kind)s is named %(name)s, but later migrations look for %(expected)s.") % facts
                yield self.finding(Severity.INFO, sides.name, message, expected.name, expected.name, actual.name)
