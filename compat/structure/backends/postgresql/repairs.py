"""Which repair a finding gets on PostgreSQL."""

from collections.abc import Iterable, Iterator, Mapping

from compat.structure.backends.base import Backend, Values
from compat.structure.backends.postgresql.column_repairs import (
    add_column,
    change_nullability,
    change_type,
    mend_sequence,
    restore_identity,
    set_default,
)
from compat.structure.backends.postgresql.rule_repairs import restore_rule
from compat.structure.backends.postgresql.subject import Remedy, Subject
from compat.structure.findings import Finding, Kind
from compat.structure.plan import Step
from compat.structure.snapshot import Table


def steps(
    backend: Backend, expected: Table, actual: Table, findings: Iterable[Finding], values: Values
) -> Iterator[Step]:
    """Yield the steps for the findings that have a remedy."""
    for finding in findings:
        remedy = REMEDIES.get(finding.kind)
        found = remedy(Subject(backend, finding, expected, actual, values)) if remedy else None
        yield from (found,) if isinstance(found, Step) else found or ()


def set_logged(subject: Subject) -> Step:
    """Write the table to the log again."""
    return subject.step(f"ALTER TABLE {subject.table} SET LOGGED;", rewrite=True)


REMEDIES: Mapping[Kind, Remedy] = {
    Kind.MISSING_COLUMN: add_column,
    Kind.TYPE: change_type,
    Kind.COLLATION: change_type,
    Kind.NULLABILITY: change_nullability,
    Kind.DEFAULT: set_default,
    Kind.IDENTITY: restore_identity,
    Kind.SEQUENCE: mend_sequence,
    Kind.STORAGE: set_logged,
    **dict.fromkeys(
        (Kind.PRIMARY_KEY, Kind.FOREIGN_KEY, Kind.UNIQUE, Kind.CHECK, Kind.EXCLUSION, Kind.INDEX), restore_rule
    ),
}
