"""An exclusion constraint is missing or different."""

from compat.structure.findings import Documentation, Severity
from compat.structure.kinds.constraint import ConstraintKind


class ExclusionKind(ConstraintKind):
    """The rows are not checked before the repair; the server names those in conflict."""

    name = "exclusion"
    number = 17
    title = "Exclusion constraint"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="An exclusion constraint is missing or differs.",
            danger="Rows that the model forbids to overlap may overlap.",
            remedy="`--fix` if it is missing. Manual if it differs.",
        ),
        Severity.WARNING: Documentation(
            meaning="An exclusion constraint is checked at another time.",
            danger="Statements that need the other time fail.",
            remedy="Manual.",
        ),
        Severity.INFO: Documentation(
            meaning="An exclusion constraint that no model has.",
            danger="It may refuse what the application writes.",
            remedy="None needed, or declare it.",
        ),
    }
