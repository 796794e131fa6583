"""A unique constraint or unique index is missing, different or invalid."""

from collections.abc import Iterator

from django.utils.translation import ngettext_lazy

from compat.structure.constraints import Constraint, PrimaryKey, Unique
from compat.structure.findings import Documentation, Repair, Severity
from compat.structure.kinds.constraint import ConstraintKind, columns_exist, wanted
from compat.structure.matching import Sides
from compat.structure.steps import DataCheck

REPEATED = ngettext_lazy(
    "%(count)d value of (%(columns)s) is duplicated",
    "%(count)d values of (%(columns)s) are duplicated",
    "count",
)


class UniqueKind(ConstraintKind):
    """An invalid unique index guarantees nothing."""

    name = "unique"
    number = 15
    title = "Uniqueness"
    documentation = {
        Severity.ERROR: Documentation(
            meaning=(
                "A unique constraint or unique index is missing, invalid, or differs in columns, condition, "
                "expressions, NULLS NOT DISTINCT, INCLUDE, or, on SQLite, in `ON CONFLICT`, which replaces or drops "
                "rows."
            ),
            danger="Duplicates.",
            remedy=(
                "`--fix` if it is missing; the finding names duplicates. Manual if it differs under the same name: "
                "drop it, then `--fix`."
            ),
        ),
        Severity.WARNING: Documentation(
            meaning=(
                "The same uniqueness in another form: a unique index instead of a constraint, or checked at another "
                "time. Or a unique constraint or unique index that no model has."
            ),
            danger=(
                "None for the rows; `ON CONFLICT ON CONSTRAINT` and later migrations look for the constraint. One that "
                "no model has refuses rows that the model allows."
            ),
            remedy=(
                "`--fix` where PostgreSQL can turn the index into the constraint. Manual for one that no model has: "
                "declare it in the model, or drop it with the statement of the finding."
            ),
        ),
        Severity.INFO: Documentation(
            meaning="A unique constraint that no model has, on columns of which some are unique in the model.",
            danger="None: it refuses no row that the model allows.",
            remedy="None needed.",
        ),
    }

    def extra_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        """Return information only where the model has a uniqueness that implies the extra one."""
        implied = any(_implies(known, constraint) for known in sides.expected.constraints)
        return Severity.INFO if implied else Severity.WARNING

    def state_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        return Severity.WARNING if isinstance(actual, Unique) and actual.valid else Severity.ERROR

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        constraint, ddl = wanted(repair), repair.dialect.ddl
        if not isinstance(constraint, Unique) or not columns_exist(repair, constraint):
            return
        known = repair.sides.expected.columns
        columns = [ddl.quote(name) if name in known else name for name in constraint.columns]
        conditions = [f"({constraint.condition})"] if constraint.condition else []
        conditions += [] if constraint.nulls_not_distinct else [f"{column} IS NOT NULL" for column in columns]
        where, listed = f" WHERE {' AND '.join(conditions)}" if conditions else "", ", ".join(columns)
        table = ddl.table(repair.sides.name)
        query = f"SELECT {listed} FROM {table}{where} GROUP BY {listed} HAVING count(*) > 1"  # noqa: S608  quoted
        yield DataCheck(query, REPEATED, {"columns": ", ".join(constraint.columns)})


def _implies(known: Constraint, extra: Constraint) -> bool:
    """Whether no two rows that `known` allows can violate `extra`."""
    if not isinstance(known, PrimaryKey | Unique) or (isinstance(known, Unique) and known.condition):
        return False
    equal_nulls = isinstance(extra, Unique) and extra.nulls_not_distinct and isinstance(known, Unique)
    return set(known.columns) <= set(extra.columns) and not equal_nulls
