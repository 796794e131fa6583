"""An exclusion constraint is missing or different."""

from compat.structure.constraints import Constraint
from compat.structure.findings import Documentation, Severity
from compat.structure.kinds.constraint import ConstraintKind
from compat.structure.matching import Sides


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
            meaning="An exclusion constraint is checked at another time, or no model has it.",
            danger=(
                "Statements that need the other time fail. One that no model has refuses rows that the model allows."
            ),
            remedy="Manual: declare it in the model, or drop it with the statement of the finding.",
        ),
    }

    def extra_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        return Severity.WARNING
