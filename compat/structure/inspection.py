"""Inspect a database: read both sides, compare them, and explain the differences."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from django.db import DatabaseError, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils.connection import ConnectionDoesNotExist
from django.utils.translation import gettext as _

from compat.database.errors import Failure
from compat.database.text import first_line
from compat.structure.cause import explain
from compat.structure.comparison import compare, compare_unmanaged, lost_tables, sides_of
from compat.structure.dialects import structure_dialect
from compat.structure.dialects.base import Dialect
from compat.structure.errors import Unverifiable
from compat.structure.findings import Finding, Repair
from compat.structure.ignore import mark
from compat.structure.kinds.newer_database import NewerDatabase
from compat.structure.project import ModelTable, Project, selected
from compat.structure.schema import Snapshot, Table

logger = logging.getLogger(__name__)
NEWER_DATABASE = NewerDatabase()


@dataclass(frozen=True)
class Inspection:
    """Both sides of a database, and the differences."""

    dialect: Dialect
    project: Project
    tables: tuple[ModelTable, ...]
    expected: Snapshot
    actual: Snapshot
    findings: tuple[Finding, ...]

    @property
    def managed_tables(self) -> int:
        """The number of compared tables that Django manages."""
        return len({table.table for table in self.tables if table.managed})

    @cached_property
    def _unmodelled_tables(self) -> Snapshot:
        names = self.dialect.connection.introspection.table_names()
        same = str.casefold if self.dialect.connection.features.ignores_table_name_case else str
        known = {same(table.table) for table in self.project.tables} | {MigrationRecorder.Migration._meta.db_table}
        return self.dialect.introspection.actual([name for name in names if same(name) not in known])

    @cached_property
    def _lost_tables(self) -> frozenset[str]:
        return lost_tables(self.expected, self.actual)

    def repair(self, finding: Finding) -> Repair:
        """Return what the repair of a finding is about."""
        owner = next(table for table in self.tables if table.table == finding.table)
        sides = sides_of(finding.table, self.expected, self.actual, self.dialect.types, owner, self._lost_tables)
        return Repair(finding, sides, self.dialect, lambda: self._unmodelled_tables)


def inspect(using: str, labels: Iterable[str] = (), known: Snapshot | None = None) -> Inspection:
    """Read both sides and compare them; `known` is an expected side that was built before. Raises Unverifiable."""
    started = time.monotonic()
    dialect = connected_dialect(using)
    try:
        found = _inspect(dialect, labels, known)
    except DatabaseError as error:
        text = _("The database %(alias)s cannot be read: %(error)s.") % {"alias": using, "error": first_line(error)}
        is_locked = dialect.database.failure(error) is Failure.LOCK_TIMEOUT
        raise Unverifiable(_locked(dialect, text) if is_locked else text) from error
    logger.info(
        "verified %s: %d tables, %d findings in %.2f s",
        using,
        found.managed_tables,
        len(found.findings),
        time.monotonic() - started,
    )
    return found


def connected_dialect(using: str) -> Dialect:
    """Return the dialect of a database that can be reached. Raises Unverifiable."""
    try:
        dialect = structure_dialect(connections[using])
        dialect.introspection.connect()
    except ConnectionDoesNotExist as error:
        text = _("There is no database %(alias)s. Configured: %(known)s.")
        raise Unverifiable(text % {"alias": using, "known": ", ".join(connections)}) from error
    except DatabaseError as error:
        text = _("The database %(alias)s cannot be reached: %(error)s")
        raise Unverifiable(text % {"alias": using, "error": first_line(error)}) from error
    return dialect


def _locked(dialect: Dialect, text: str) -> str:
    if tables := dialect.introspection.locked_tables():
        facts = {"text": text, "tables": ", ".join(tables)}
        return _("%(text)s Another session holds a lock on %(tables)s. Try again.") % facts
    return _("%(text)s Another session holds a lock. Try again.") % {"text": text}


def _inspect(dialect: Dialect, labels: Iterable[str], known: Snapshot | None) -> Inspection:
    project = Project(dialect.connection)
    labels = tuple(labels)
    ahead = {app: names for app, names in project.newer.items() if not labels or app in _apps(labels)}
    tables = tuple(table for table in selected(project.tables, labels) if table.app not in project.newer)
    managed, unmanaged = tuple(table for table in tables if table.managed), _unmanaged(tables)
    # A foreign key names its target as the models do: with the schema where one of them names it.
    qualified = (table.table for table in project.tables if "." in table.table)
    actual = dialect.introspection.actual({table.table: None for table in tables} | dict.fromkeys(qualified))
    present = (table for table in unmanaged if table.table in actual and actual[table.table].exists)
    expected = known if known is not None else dialect.introspection.expected((*managed, *present))
    expected = _without_runtime_only(expected, project, managed)
    expected = _with_historical_auto_field(expected, actual, managed)
    owners = {table.table: table for table in managed}
    findings = compare({name: expected[name] for name in owners}, actual, dialect.types, owners)
    findings = explain(dialect, project, owners, actual, findings)
    wanted = {table.table: expected.get(table.table, Table(table.table)) for table in unmanaged}
    findings += compare_unmanaged(wanted, actual, dialect.types)
    by_name = {table.table: table for table in (*managed, *unmanaged)}
    named = tuple(
        replace(finding, app=by_name[finding.table].app, model=by_name[finding.table].name) for finding in findings
    )
    history = (replace(NEWER_DATABASE.about(app, names), app=app) for app, names in ahead.items())
    return Inspection(dialect, project, tables, expected, actual, mark((*history, *named)))


def _apps(labels: Iterable[str]) -> frozenset[str]:
    return frozenset(label.partition(".")[0] for label in labels)


def _unmanaged(tables: Iterable[ModelTable]) -> tuple[ModelTable, ...]:
    """Return the unmanaged models, without those on the table of a managed one."""
    tables = tuple(tables)
    managed = {table.table for table in tables if table.managed}
    return tuple(table for table in tables if not table.managed and table.table not in managed)


def _without_runtime_only(expected: Snapshot, project: Project, tables: Iterable[ModelTable]) -> Snapshot:
    """Return the expected side without what code adds to a Meta at run time, which no migration can create."""
    changed = {}
    for owner in tables:
        if owner.runtime_only and project.is_migrated(owner):
            table = expected[owner.table]
            kept = tuple(item for item in table.constraints if item.name not in owner.runtime_only)
            changed[owner.table] = replace(table, constraints=kept)
    return {**expected, **changed}


def _with_historical_auto_field(expected: Snapshot, actual: Snapshot, tables: Iterable[ModelTable]) -> Snapshot:
    """Return the expected side with the keys of automatic many-to-many tables as wide as they were created.

    Nothing refers to them, and they have the width that DEFAULT_AUTO_FIELD named at that time.
    """
    automatic = (table.table for table in tables if table.is_automatic)
    return {**expected, **{name: _with_historical_key(expected[name], actual.get(name)) for name in automatic}}


def _with_historical_key(expected: Table, actual: Table | None) -> Table:
    keys = {name: column for name, column in expected.columns.items() if column.auto}
    found = {name: actual.columns[name] for name in keys if actual and name in actual.columns}
    if actual is None or not all(column.auto and "int" in column.type for column in found.values()):
        return expected
    columns = {
        name: replace(column, type=found[name].type) if name in found else column
        for name, column in expected.columns.items()
    }
    sequences = tuple(replace(sequence, last_possible=0) for sequence in expected.sequences)
    return replace(expected, columns=columns, sequences=sequences)
