"""A column of the model does not exist."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from compat.structure.constraints import Constraint, PrimaryKey, Unique, mentions
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.kinds.rows import row_keys
from compat.structure.matching import Sides
from compat.structure.schema import Column
from compat.structure.steps import DataCheck, Step


class MissingColumn(Kind):
    """The repair adds the column and gives existing rows the default of the database or of the field."""

    name = "missing_column"
    number = 3
    title = "Missing column"
    adds_column = True
    needs_type = True
    documentation = {
        Severity.ERROR: Documentation(
            meaning="The model has a field that the table does not have.",
            danger="Every query on the model fails.",
            remedy=(
                "`--fix` adds the column. Existing rows get the database default or the field's default; without "
                "either, a NOT NULL column is not added and the finding says so."
            ),
        ),
        Severity.INFO: Documentation(
            meaning="An unmanaged model has a field that its table does not have; `-v 2` lists it.",
            danger="None for Django; code that reads the column fails.",
            remedy="None needed, or correct the model.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        for name, column in sides.expected.columns.items():
            if name not in sides.actual.columns and column.name not in sides.renamed.values():
                message = missing_message(column)
                yield self.finding(Severity.ERROR, sides.name, message, column.name, column.describe())

    def data_checks(self, repair: Repair) -> Iterator[DataCheck]:
        column = _column(repair)
        if not column.needs_value:
            return
        if _filler(repair) is None:
            yield _rows_without_value(repair, column)
        elif any(_is_unique(item, column) for item in repair.sides.expected.constraints):
            yield _rows_with_one_value(repair, column)

    def needs(self, repair: Repair) -> Iterator[tuple[str, str]]:
        """Yield the columns from which a generated column is computed."""
        column = _column(repair)
        for other in repair.sides.expected.columns.values():
            if other is not column and mentions(column.generated or "", other.name):
                yield repair.sides.name, other.name

    def steps(self, repair: Repair) -> Sequence[Step]:
        column = _column(repair)
        filler = _filler(repair) if column.needs_value else None
        return repair.dialect.ddl.add_column(repair.sides, column, filler)


def missing_message(column: Column) -> str:
    """Return the message for a missing column."""
    return _("The column %(column)s is missing.") % {"column": column.name}


def _column(repair: Repair) -> Column:
    column = repair.sides.expected.column(repair.finding.object)
    assert column is not None  # noqa: S101  the finding is about it
    return column


def _filler(repair: Repair) -> str | None:
    owner = repair.sides.owner
    return repair.dialect.ddl.default_literal(owner.field(str(repair.finding.object))) if owner else None


def _rows_without_value(repair: Repair, column: Column) -> DataCheck:
    query = f"SELECT {row_keys(repair)} FROM {repair.dialect.ddl.table(repair.sides.name)}"  # noqa: S608  quoted
    text = ngettext_lazy(
        "%(count)d row needs a value for the new column %(column)s; give the field a default or db_default",
        "%(count)d rows need a value for the new column %(column)s; give the field a default or db_default",
        "count",
    )
    return DataCheck(query, text, {"column": column.name})


def _rows_with_one_value(repair: Repair, column: Column) -> DataCheck:
    """Return the check for several rows that would get the same value in a unique column."""
    table = repair.dialect.ddl.table(repair.sides.name)
    query = f"SELECT {row_keys(repair)} FROM {table} WHERE (SELECT count(*) FROM {table}) > 1"  # noqa: S608  quoted
    text = ngettext_lazy(
        "%(count)d row needs its own value for the new unique column %(column)s; add the column and fill it manually",
        "each of %(count)d rows needs its own value for the new unique column %(column)s; "
        "add the column and fill it manually",
        "count",
    )
    return DataCheck(query, text, {"column": column.name})


def _is_unique(constraint: Constraint, column: Column) -> bool:
    only = [name.casefold() for name in constraint.columns] == [column.name.casefold()]
    if isinstance(constraint, Unique):
        return only and not constraint.condition
    return only and isinstance(constraint, PrimaryKey)
