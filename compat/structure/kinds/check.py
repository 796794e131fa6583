"""A check constraint is missing, different or not enforced."""

from collections.abc import Iterator

from django.utils.translation import ngettext_lazy

from compat.structure.constraints import Check, Constraint
from compat.structure.findings import Documentation, Repair, Severity
from compat.structure.kinds.constraint import ConstraintKind, wanted
from compat.structure.kinds.rows import row_keys
from compat.structure.matching import Sides
from compat.structure.steps import DataCheck


class CheckKind(ConstraintKind):
    """A check that is not enforced guarantees nothing."""

    name = "check"
    number = 16
    title = "Check constraint"
    needs_type = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning="A check is missing, differs, or is NOT ENFORCED (PostgreSQL 18).",
            danger="Values that the model forbids.",
            remedy=(
                "`--fix` if it is missing; the finding names rows that violate it. Manual if it differs or is not "
                "enforced, which the server cannot alter: drop it, then `--fix`."
            ),
        ),
        Severity.WARNING: Documentation(
            meaning="A check is NOT VALID, or no model has it.",
            danger="Old rows may violate it. One that no model has refuses rows that the model allows.",
            remedy=(
                "`--fix` validates it. Manual for one that no model has: declare it in the model, or drop it with the "
                "statement of the finding."
            ),
        ),
    }

    def extra_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        return Severity.WARNING

    def state_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        return Severity.WARNING if isinstance(actual, Check) and actual.enforced else Severity.ERROR

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        constraint, sides = wanted(repair), repair.sides
        if not isinstance(constraint, Check) or not constraint.condition:
            return
        absent = (column.name for key, column in sides.expected.columns.items() if key not in sides.actual.columns)
        if any(constraint.mentions(name) for name in absent):
            return
        table = repair.dialect.ddl.table(sides.name)
        query = f"SELECT {row_keys(repair)} FROM {table} WHERE NOT ({constraint.condition})"  # noqa: S608  the model's
        text = ngettext_lazy(
            "%(count)d row violates the check %(check)s", "%(count)d rows violate the check %(check)s", "count"
        )
        yield DataCheck(query, text, {"check": constraint.name})
