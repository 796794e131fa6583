"""How queries for conflicting rows name a row."""

from compat.structure.findings import Repair


def row_keys(repair: Repair, *otherwise: str) -> str:
    """Return the quoted columns that identify a row: the primary key, else `otherwise`, else the first column."""
    return repair.dialect.ddl.quote(*row_key_columns(repair, *otherwise))


def row_key_columns(repair: Repair, *otherwise: str) -> tuple[str, ...]:
    """Return the columns of `row_keys`."""
    actual = repair.sides.actual
    return actual.primary_key() or otherwise or tuple(actual.columns)[:1]
