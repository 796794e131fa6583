"""A foreign key is missing, different, or not enforced."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import ngettext_lazy

from compat.structure.constraints import Constraint, ForeignKey
from compat.structure.findings import Documentation, Repair, Severity
from compat.structure.kinds.constraint import ConstraintKind, columns_exist, wanted
from compat.structure.kinds.rows import row_key_columns, row_keys
from compat.structure.matching import Sides
from compat.structure.steps import DataCheck


class ForeignKeyKind(ConstraintKind):
    """A second foreign key on the same columns is a warning if it deletes or changes rows by itself."""

    name = "foreign_key"
    number = 14
    title = "Foreign key"
    needs_type = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning=(
                "A foreign key is missing, points elsewhere, or has other ON DELETE or ON UPDATE actions than "
                "Django's; or it is not enforced: NOT ENFORCED (PostgreSQL 18), or its triggers are disabled, as "
                "after `ALTER TABLE … DISABLE TRIGGER ALL`."
            ),
            danger="Orphans, or rows that are deleted with others.",
            remedy=(
                "`--fix` if it is missing or not enforced; the finding names orphans. Only a superuser can enable "
                "the triggers of a constraint. Manual if it differs: drop it, then `--fix`."
            ),
        ),
        Severity.WARNING: Documentation(
            meaning=(
                "A foreign key is NOT VALID or checked at another time; or it has RESTRICT where Django has NO ACTION; "
                "or a second one on the same columns deletes or changes rows by itself, as `ON DELETE CASCADE` does."
            ),
            danger=("Old rows may be orphans; loading in any order may fail; rows may be deleted with others."),
            remedy=(
                "`--fix` validates it or sets the time. Manual for the others: the finding has the statement that "
                "replaces or drops the key."
            ),
        ),
        Severity.INFO: Documentation(
            meaning="A foreign key that no model has.",
            danger="None, unless it refuses what the application writes.",
            remedy="None needed.",
        ),
    }

    def extra_severity(self, sides: Sides, constraint: Constraint) -> Severity:
        acts = isinstance(constraint, ForeignKey) and bool(constraint.on_delete or constraint.on_update)
        keys = (item for item in sides.expected.constraints if isinstance(item, ForeignKey))
        shared = any(item.columns == constraint.columns for item in keys)
        return Severity.WARNING if acts and shared else Severity.INFO

    def difference_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        """Return a warning where the keys differ only in RESTRICT, which refuses what Django would not do."""
        if not isinstance(expected, ForeignKey) or not isinstance(actual, ForeignKey):
            return Severity.ERROR
        relaxed = replace(actual, on_delete=_harmless(actual.on_delete), on_update=_harmless(actual.on_update))
        return Severity.WARNING if relaxed.signature == expected.signature else Severity.ERROR

    def state_severity(self, expected: Constraint, actual: Constraint) -> Severity:
        same = expected.state().get("enforced") == actual.state().get("enforced")
        return Severity.WARNING if same else Severity.ERROR

    def needs(self, repair: Repair) -> Iterator[tuple[str, str]]:
        yield from super().needs(repair)
        constraint = wanted(repair)
        if isinstance(constraint, ForeignKey):
            yield from ((constraint.target_table, column) for column in constraint.target_columns)

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        constraint = wanted(repair)
        if not isinstance(constraint, ForeignKey) or not columns_exist(repair, constraint):
            return
        if constraint.target_table in repair.sides.lost_tables:
            yield _references(repair, constraint)
        else:
            yield _orphans(repair, constraint)


def _harmless(action: str) -> str:
    return "" if action == "RESTRICT" else action


def _references(repair: Repair, constraint: ForeignKey) -> DataCheck:
    """Return the check for rows that refer to a missing table, which will be empty when it is created."""
    ddl = repair.dialect.ddl
    given = " AND ".join(f"{ddl.quote(name)} IS NOT NULL" for name in constraint.columns)
    keys, table = row_keys(repair, *constraint.columns), ddl.table(repair.sides.name)
    query = f"SELECT {keys} FROM {table} WHERE {given}"  # noqa: S608  quoted
    text = ngettext_lazy(
        "%(count)d row refers by (%(columns)s) to %(target)s, which is missing",
        "%(count)d rows refer by (%(columns)s) to %(target)s, which is missing",
        "count",
    )
    return DataCheck(query, text, _facts(constraint))


def _orphans(repair: Repair, constraint: ForeignKey) -> DataCheck:
    ddl = repair.dialect.ddl
    pairs = zip(constraint.columns, constraint.target_columns, strict=True)
    on = " AND ".join(f"r.{ddl.quote(theirs)} = t.{ddl.quote(ours)}" for ours, theirs in pairs)
    given = " AND ".join(f"t.{ddl.quote(name)} IS NOT NULL" for name in constraint.columns)
    keys = ", ".join(f"t.{ddl.quote(key)}" for key in row_key_columns(repair, *constraint.columns))
    query = (
        f"SELECT {keys} FROM {ddl.table(repair.sides.name)} t WHERE {given} "  # noqa: S608  quoted
        f"AND NOT EXISTS (SELECT 1 FROM {ddl.table(constraint.target_table)} r WHERE {on})"
    )
    text = ngettext_lazy(
        "%(count)d row refers by (%(columns)s) to no row of %(target)s",
        "%(count)d rows refer by (%(columns)s) to no row of %(target)s",
        "count",
    )
    return DataCheck(query, text, _facts(constraint))


def _facts(constraint: ForeignKey) -> dict[str, str]:
    return {"columns": ", ".join(constraint.columns), "target": constraint.target_table}
