"""The SQL with which Django's schema editor creates tables, collected table by table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from compat.structure.expected import Owner, table_key


@dataclass(frozen=True)
class Creation:
    """How one table is created: at once, and after all tables exist (indexes, foreign keys)."""

    table: str
    create: tuple[str, ...]
    later: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """A column that a foreign key refers to, in a table that is not among those created."""

    table: str
    column: str
    type: str


def creations(connection: BaseDatabaseWrapper, owners: Iterable[Owner]) -> Mapping[str, Creation]:
    """Return how the schema editor creates the table of each owner."""
    base: Any = connection.SchemaEditorClass
    collector = type("Collector", (_Collector, base), {})
    with collector(connection, collect_sql=True, atomic=False) as editor:
        for owner in owners:
            editor.create_model(owner.model)
        return dict(editor.creations)


class _Collector:
    """A schema editor that keeps what it would execute, apart for each table."""

    connection: BaseDatabaseWrapper
    deferred_sql: list[Any]
    collected_sql: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.creations: dict[str, Creation] = {}

    def create_model(self, model: type[Model]) -> None:
        """Collect the statements for the table of `model`; a many-to-many table is a table of its own."""
        table = table_key(self.connection, model._meta.db_table)
        if table in self.creations:
            return
        outer, self.collected_sql = self.collected_sql, []
        outer_deferred, self.deferred_sql = self.deferred_sql, []
        super().create_model(model)  # type: ignore[misc]
        # A state may hold the same index twice, and a statement for an unsupported constraint is None.
        later = dict.fromkeys(f"{statement};" for statement in self.deferred_sql if statement is not None)
        self.creations[table] = Creation(table, tuple(self.collected_sql), tuple(later))
        self.collected_sql, self.deferred_sql = outer, outer_deferred


def outside_targets(connection: BaseDatabaseWrapper, owners: Iterable[Owner]) -> frozenset[Target]:
    """Return the columns outside the tables of `owners` that their foreign keys refer to."""
    owners = tuple(owners)
    inside = {owner.table for owner in owners}
    found = set()
    for owner in owners:
        for field in owner.model._meta.local_fields:
            if field.remote_field is None or not getattr(field, "db_constraint", False):
                continue
            target: Any = field.foreign_related_fields[0]  # type: ignore[attr-defined]
            table = table_key(connection, target.model._meta.db_table)
            if table not in inside:
                found.add(Target(table, target.column, target.rel_db_type(connection)))
    return frozenset(found)
