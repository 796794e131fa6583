"""Examine a database: read both sides, compare, explain."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from django.db import DatabaseError, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils.connection import ConnectionDoesNotExist
from django.utils.translation import gettext as _

from compat.structure.backends import backend_for
from compat.structure.backends.base import Backend
from compat.structure.cause import explain
from compat.structure.compare import compare, loosely
from compat.structure.errors import Unverifiable
from compat.structure.expected import Owner, Project, selected
from compat.structure.findings import Finding
from compat.structure.ignore import mark
from compat.structure.snapshot import Snapshot, Table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """Both sides of a database, and how they differ."""

    backend: Backend
    project: Project
    owners: tuple[Owner, ...]
    expected: Snapshot
    actual: Snapshot
    findings: tuple[Finding, ...]

    @property
    def tables(self) -> int:
        """The number of tables that Django manages."""
        return len({owner.table for owner in self.owners if owner.managed})

    @cached_property
    def strangers(self) -> Snapshot:
        """The tables that no model of the project knows."""
        known = {owner.table.casefold() for owner in self.project.owners} | {MigrationRecorder.Migration._meta.db_table}
        names = self.backend.connection.introspection.table_names()
        return self.backend.actual([name for name in names if name.casefold() not in known])

    def owner(self, table: str) -> Owner:
        """Return the model behind a table."""
        return next(owner for owner in self.owners if owner.table == table)


def examine(using: str, labels: Iterable[str] = (), known: Snapshot | None = None) -> Examination:
    """Read both sides and compare them; `known` is an expected side that was built before. Raises Unverifiable."""
    started = time.monotonic()
    backend = backend_of(using)
    try:
        found = _examine(backend, labels, known)
    except DatabaseError as error:
        text = _("The database %(alias)s cannot be read: %(error)s.") % {"alias": using, "error": first_line(error)}
        raise Unverifiable(_locked(backend, text) if backend.is_lock_timeout(error) else text) from error
    logger.info(
        "verified %s: %d tables, %d findings in %.2f s",
        using, found.tables, len(found.findings), time.monotonic() - started,
    )  # fmt: skip
    return found


def backend_of(using: str) -> Backend:
    """Return the backend of a database that can be reached. Raises Unverifiable."""
    try:
        backend = backend_for(connections[using])
        backend.connect()
    except ConnectionDoesNotExist as error:
        text = _("There is no database %(alias)s. Configured: %(known)s.")
        raise Unverifiable(text % {"alias": using, "known": ", ".join(connections)}) from error
    except DatabaseError as error:
        text = _("The database %(alias)s cannot be reached: %(error)s")
        raise Unverifiable(text % {"alias": using, "error": first_line(error)}) from error
    return backend


def _locked(backend: Backend, text: str) -> str:
    if tables := backend.locked():
        names = {"text": text, "tables": ", ".join(tables)}
        return _("%(text)s Somebody else holds a lock on %(tables)s: try again.") % names
    return _("%(text)s Somebody else holds a lock: try again.") % {"text": text}


def first_line(error: Exception) -> str:
    """Return the first line of a database's message, which is the one that says what happened."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _examine(backend: Backend, labels: Iterable[str], known: Snapshot | None) -> Examination:
    project = Project(backend.connection)
    owners = selected(project.owners, labels)
    managed = tuple(owner for owner in owners if owner.managed)
    # A foreign key names its target as the models do: with the schema where one of them names it.
    qualified = (owner.table for owner in project.owners if "." in owner.table)
    actual = backend.actual({owner.table: None for owner in owners} | dict.fromkeys(qualified))
    loose = unmanaged(owners)
    present = (owner for owner in loose if owner.table in actual and actual[owner.table].kind)
    expected = known if known is not None else backend.expected((*managed, *present))
    expected = with_keys_of_their_time(without_unseen(expected, project, managed), actual, managed)
    declared = {owner.table: owner.declared for owner in managed}
    strictly = {owner.table: expected[owner.table] for owner in managed}
    findings = compare(strictly, actual, backend.judge_type, declared)
    findings = explain(backend, project, managed, actual, findings)
    wanted = {owner.table: expected.get(owner.table, Table(owner.table)) for owner in loose}
    findings += loosely(wanted, actual, backend.judge_type)
    by_table = {owner.table: owner for owner in (*managed, *loose)}
    named = tuple(
        replace(finding, app=by_table[finding.table].app, model=by_table[finding.table].name) for finding in findings
    )
    return Examination(backend, project, owners, expected, actual, mark(named))


def unmanaged(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Return the models whose tables others manage, without those that only show a managed table once more."""
    owners = tuple(owners)
    ours = {owner.table for owner in owners if owner.managed}
    return tuple(owner for owner in owners if not owner.managed and owner.table not in ours)


def without_unseen(expected: Snapshot, project: Project, owners: Iterable[Owner]) -> Snapshot:
    """Return the expected side without what code adds to a model's Meta at run time: no migration can make it."""
    tables = {
        owner.table: replace(table, rules=tuple(rule for rule in table.rules if rule.name not in owner.unseen))
        for owner in owners
        if owner.unseen and (table := expected[owner.table]) and project.makes(owner)
    }
    return {**expected, **tables}


def with_keys_of_their_time(expected: Snapshot, actual: Snapshot, owners: Iterable[Owner]) -> Snapshot:
    """Return the expected side with the keys of automatic many-to-many tables as wide as they were made.

    Nothing refers to them, and a migration gives them the width that the settings name at that time.
    """
    made = {owner.table: _with_key_of_its_time(expected[owner.table], actual.get(owner.table))
            for owner in owners if owner.is_automatic}  # fmt: skip
    return {**expected, **made}


def _with_key_of_its_time(expected: Table, actual: Table | None) -> Table:
    keys = {name: column for name, column in expected.columns.items() if column.auto}
    found = {name: actual.columns[name] for name in keys if actual and name in actual.columns}
    if actual is None or not all(column.auto and "int" in column.type for column in found.values()):
        return expected
    columns = {name: replace(column, type=found[name].type) if name in found else column
               for name, column in expected.columns.items()}  # fmt: skip
    sequences = tuple(replace(sequence, last_possible=0) for sequence in expected.sequences)
    return replace(expected, columns=columns, sequences=sequences)
