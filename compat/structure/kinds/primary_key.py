"""The primary key is missing or different."""

from collections.abc import Iterator

from django.utils.translation import ngettext_lazy

from compat.structure.constraints import Constraint
from compat.structure.findings import Documentation, Repair, Severity
from compat.structure.kinds.constraint import ConstraintKind, columns_exist, wanted
from compat.structure.steps import DataCheck

REPEATED_KEYS = ngettext_lazy(
    "%(count)d value of (%(columns)s) is duplicated or NULL",
    "%(count)d values of (%(columns)s) are duplicated or NULL",
    "count",
)


class PrimaryKeyKind(ConstraintKind):
    """The same columns in another order keep the guarantee; only the index serves other queries."""

    name = "primary_key"
    number = 13
    title = "Primary key"
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The primary key is missing, or on other columns.",
            danger="Rows may be duplicated; foreign keys cannot refer to them.",
            remedy=(
                "`--fix` if it is missing; the finding names duplicates and NULL values. Manual if it is on other "
                "columns."
            ),
        ),
        Severity.WARNING: Documentation(
            meaning="A composite primary key has the right columns in another order.",
            danger="None for the rows; queries by the first column alone may be slow.",
            remedy="Manual.",
        ),
    }

    def difference_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        same_columns = sorted(expected.columns) == sorted(actual.columns)
        return Severity.WARNING if same_columns and expected.meaning() == actual.meaning() else Severity.ERROR

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        constraint, ddl = wanted(repair), repair.dialect.ddl
        if constraint is None or not columns_exist(repair, constraint):
            return
        columns = ddl.quote(*constraint.columns)
        nulls = " OR ".join(f"{ddl.quote(name)} IS NULL" for name in constraint.columns)
        query = (
            f"SELECT {columns} FROM {ddl.table(repair.sides.name)} "  # noqa: S608  quoted
            f"GROUP BY {columns} HAVING count(*) > 1 OR {nulls}"
        )
        yield DataCheck(query, REPEATED_KEYS, {"columns": ", ".join(constraint.columns)})
