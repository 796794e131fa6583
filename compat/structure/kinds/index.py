"""An index is missing, different or invalid."""

from compat.structure.constraints import Constraint, Index
from compat.structure.findings import Documentation, Severity
from compat.structure.kinds.constraint import ConstraintKind
from compat.structure.matching import Sides


class IndexKind(ConstraintKind):
    """An index guarantees nothing, so that its absence is a warning."""

    name = "index"
    number = 18
    title = "Index"
    documentation = {
        Severity.WARNING: Documentation(
            meaning=(
                "An index is missing, INVALID, or differs in columns, order, predicate, expression, method, "
                "operator class or options."
            ),
            danger="Queries are slow.",
            remedy=(
                "`--fix` if it is missing or INVALID. Manual if it differs under the same name: drop it, then `--fix`."
            ),
        ),
        Severity.INFO: Documentation(
            meaning=("An index that no model has, or the companion for `LIKE` (`…_like`) of another index is missing."),
            danger="Writes take a little longer; without the companion, searches by prefix are slow.",
            remedy=(
                "None needed. Migrations that renamed and retyped a field leave such indexes behind, and do not "
                "create companions."
            ),
        ),
    }

    def missing_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        return Severity.INFO if _is_like_companion(sides, constraint) else Severity.WARNING

    def difference_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        return Severity.WARNING


def _is_like_companion(sides: Sides, constraint: Constraint) -> bool:
    """Whether Django creates the index beside another one for LIKE; some of its migrations leave it out."""
    by_pattern = isinstance(constraint, Index) and constraint.options.for_like
    return by_pattern and constraint.name.endswith("_like") and constraint.name not in sides.declared
