"""The SQL with which Django's schema editor creates tables, collected table by table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from compat.structure.names import table_key
from compat.structure.project import ModelTable


@dataclass(frozen=True)
class Creation:
    """The statements that create a table: `later` run when all tables exist (indexes, foreign keys)."""

    table: str
    create: tuple[str, ...]
    later: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """A column that a foreign key refers to, in a table that is not created."""

    table: str
    column: str
    type: str


def creations(connection: BaseDatabaseWrapper, tables: Iterable[ModelTable]) -> Mapping[str, Creation]:
    """Return how the schema editor creates each table."""
    base: Any = connection.SchemaEditorClass
    collector = type("Collector", (_Collector, base), {})
    with collector(connection, collect_sql=True, atomic=False) as editor:
        for table in tables:
            editor.create_model(table.model)
        return dict(editor.creations)


class _Collector:
    """A mixin for schema editors that collects the statements of each table."""

    connection: BaseDatabaseWrapper
    deferred_sql: list[Any]
    collected_sql: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.creations: dict[str, Creation] = {}

    def create_model(self, model: type[Model]) -> None:
        """Collect the statements for the table of `model`; a many-to-many table is separate."""
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


def outside_targets(connection: BaseDatabaseWrapper, tables: Iterable[ModelTable]) -> frozenset[Target]:
    """Return the columns outside these tables that their foreign keys refer to."""
    tables = tuple(tables)
    inside = {table.table for table in tables}
    fields = (field for table in tables for field in table.model._meta.local_fields)
    found = set()
    for field in fields:
        if field.remote_field is None or not getattr(field, "db_constraint", False):
            continue
        target: Any = field.foreign_related_fields[0]  # type: ignore[attr-defined]
        name = table_key(connection, target.model._meta.db_table)
        if name not in inside:
            found.add(Target(name, target.column, target.rel_db_type(connection)))
    return frozenset(found)
