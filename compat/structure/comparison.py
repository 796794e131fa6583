"""Compare the expected tables with the existing ones. Nothing here uses a database."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from compat.structure.dialects.base import Types
from compat.structure.findings import Finding, Severity
from compat.structure.kinds import KINDS
from compat.structure.kinds.column_type import retyped_message
from compat.structure.kinds.missing_column import missing_message
from compat.structure.matching import Sides
from compat.structure.project import ModelTable
from compat.structure.schema import Column, Snapshot, Table, TypeDifference, absent

SPELLINGS = (None, TypeDifference.SPELLING)


def compare(
    expected: Snapshot, actual: Snapshot, types: Types, owners: Mapping[str, ModelTable]
) -> tuple[Finding, ...]:
    """Return the differences, in the order of the expected tables; `owners` are the models of the tables."""
    lost = lost_tables(expected, actual)
    tables = (sides_of(name, expected, actual, types, owners.get(name), lost) for name in expected)
    return tuple(finding for sides in tables for finding in compare_table(sides))


def compare_table(sides: Sides) -> Iterator[Finding]:
    """Yield the differences of one table, in the order of the kinds."""
    for kind in KINDS.values():
        if sides.comparable or not kind.compares:
            yield from kind.find(sides)


def lost_tables(expected: Snapshot, actual: Snapshot) -> frozenset[str]:
    """Return the expected tables that do not exist."""
    return frozenset(table for table in expected if table not in actual or not actual[table].exists)


def sides_of(
    name: str,
    expected: Snapshot,
    actual: Snapshot,
    types: Types,
    owner: ModelTable | None,
    lost: frozenset[str],
) -> Sides:
    """Return both sides of a table; `lost` are the expected tables that do not exist."""
    return Sides(expected[name], actual.get(name, absent(name)), types.difference, owner, lost)


def compare_unmanaged(expected: Snapshot, actual: Snapshot, types: Types) -> tuple[Finding, ...]:
    """Return, as information, which tables and columns of unmanaged models differ.

    Such a table may be a view, or have more columns than the model; only what the model reads is compared.
    """
    return tuple(
        finding for name, table in expected.items() for finding in _unmanaged_table(table, actual.get(name), types)
    )


def _unmanaged_table(expected: Table, actual: Table | None, types: Types) -> Iterator[Finding]:
    table, hint = expected.name, _("Django does not manage this table.")
    if actual is None or not actual.exists:
        kind, message = KINDS["missing_table"], _("The table is missing.")
        yield kind.finding(Severity.INFO, table, message, table, "table", hint=hint)
        return
    for name, column in expected.columns.items() if actual.columns else ():
        found = actual.columns.get(name)
        if found is None:
            kind, message = KINDS["missing_column"], missing_message(column)
            yield kind.finding(Severity.INFO, table, message, column.name, column.describe(), hint=hint)
        elif _is_retyped(column, found, types):
            kind, message = KINDS["type"], retyped_message(column, found)
            yield kind.finding(Severity.INFO, table, message, column.name, column.type, found.type, hint=hint)


def _is_retyped(expected: Column, actual: Column, types: Types) -> bool:
    if not actual.type or expected.type == actual.type:
        return False
    return types.difference(expected.type, actual.type) not in SPELLINGS
