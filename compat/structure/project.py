"""The models of the project, and the model states that its migrations lead to.

The states after the applied and after all migrations are built only when there is a difference to explain,
because rendering them costs more than everything else.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps as installed
from django.db import DatabaseError, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field, Model
from django.utils.translation import gettext

from compat.database.text import one_line
from compat.structure.errors import Unverifiable
from compat.structure.history import Migrations, all_recorded, newer, require_consistent, unknown
from compat.structure.names import table_key

DATABASE_OPTIONS = (
    "db_table", "db_table_comment", "indexes", "constraints", "unique_together", "order_with_respect_to",
)  # fmt: skip
PYTHON_ONLY = frozenset(Field.non_db_attrs) - {"db_column", "on_delete"} | {"default", "serialize", "auto_created"}


@dataclass(frozen=True)
class ModelTable:
    """A model and its table."""

    model: type[Model]
    app: str
    name: str
    table: str
    managed: bool

    @property
    def is_automatic(self) -> bool:
        """Whether Django made the model for a many-to-many field."""
        return bool(self.model._meta.auto_created)

    @property
    def declared(self) -> frozenset[str]:
        """The names of indexes and constraints that the model declares."""
        options = self.model._meta
        return frozenset(item.name for item in (*options.indexes, *options.constraints))

    @property
    def runtime_only(self) -> frozenset[str]:
        """The names of indexes and constraints that code adds to the Meta at run time, unseen by makemigrations."""
        options = self.model._meta
        return frozenset(
            item.name
            for name in ("indexes", "constraints")
            if name not in options.original_attrs
            for item in getattr(options, name)
        )

    def field(self, column: str) -> "Field[Any, Any] | None":
        """Return the field that is stored in `column`."""
        return next((field for field in self.model._meta.local_fields if field.column == column), None)


class Project:
    """The models and migrations of the project that belong to one database; migrations are loaded when needed."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @cached_property
    def executor(self) -> MigrationExecutor:
        """The executor, which loads the migrations. Raises Unverifiable."""
        try:
            return MigrationExecutor(self.connection)
        except DatabaseError:
            raise
        except Exception as error:  # a migration is code of the project, which may raise anything
            text = gettext("The migrations cannot be loaded: %(error)s")
            raise Unverifiable(text % {"error": one_line(error)}) from error

    @property
    def loader(self) -> MigrationLoader:
        """The migrations on disk and those recorded. Raises Unverifiable."""
        return self.executor.loader

    @cached_property
    def latest(self) -> ProjectState:
        """The state after all migrations that exist. Raises Unverifiable."""
        return self._state(set(self.loader.graph.nodes.values()))

    @cached_property
    def changed(self) -> frozenset[tuple[str, str]]:
        """The managed models that differ from their last migration in what the database stores."""
        keys = self.latest.models.keys()
        return frozenset(
            key
            for model in installed.get_models()
            if model._meta.managed
            and (key := (model._meta.app_label, model._meta.model_name or "")) in keys
            and db_signature(ModelState.from_model(model)) != db_signature(self.latest.models[key])
        )

    @cached_property
    def tables(self) -> tuple[ModelTable, ...]:
        """All models of the project that belong to this database."""
        return tuple(map(self._table, self._stored(installed)))

    def latest_tables(self) -> tuple[ModelTable, ...]:
        """The models as the migrations leave them, those without a migration included."""
        return self._state_tables(self.latest)

    def applied_tables(self) -> tuple[ModelTable, ...]:
        """The models as the migrations recorded as applied leave them."""
        return self._state_tables(self.applied)

    @cached_property
    def applied(self) -> ProjectState:
        """The state after the migrations recorded as applied. Raises Unverifiable."""
        nodes = self.loader.graph.nodes
        return self._state({nodes[key] for key in self.loader.applied_migrations if key in nodes})

    def _state(self, chosen: Container[Migration]) -> ProjectState:
        """Return the models as the chosen migrations leave them. Raises Unverifiable."""
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for migration, _ in self.executor.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True):
            if migration in chosen:
                with _readable(f"{migration}: "):
                    migration.mutate_state(state, preserve=False)
        return state

    @cached_property
    def unapplied(self) -> Mapping[str, tuple[Migration, ...]]:
        """The unapplied migrations by app label, in order. Raises Unverifiable."""
        unapplied: dict[str, tuple[Migration, ...]] = {}
        if all_recorded(self.connection):
            return unapplied
        require_consistent(self.loader, self.connection.alias)
        for migration, _ in self.executor.migration_plan(self.loader.graph.leaf_nodes()):
            unapplied[migration.app_label] = (*unapplied.get(migration.app_label, ()), migration)
        return unapplied

    @cached_property
    def newer(self) -> Migrations:
        """The recorded migrations by app label that only newer code has."""
        return newer(self.loader, self.connection) if unknown(self.connection) else {}

    @cached_property
    def without_history(self) -> frozenset[str]:
        """The apps with migrations of which none is recorded as applied."""
        if not self.unapplied:
            return frozenset()
        recorded = {label for label, _ in self.loader.applied_migrations}
        return frozenset(label for label in self.unapplied if label not in recorded)

    def is_migrated(self, table: ModelTable) -> bool:
        """Whether migrations create the model's table."""
        return table.app in self.loader.migrated_apps

    def _state_tables(self, state: ProjectState) -> tuple[ModelTable, ...]:
        with _readable():
            state.apps  # noqa: B018  renders the models
        coded = (model for model in self._stored(installed) if model._meta.app_label in self.loader.unmigrated_apps)
        built = (model for model in self._stored(state.apps) if model._meta.app_label in self.loader.migrated_apps)
        return tuple(self._table(model) for model in (*built, *coded))

    def _stored(self, registry: Any) -> Iterator[type[Model]]:
        """Yield the models of `registry` with a table in this database: not proxied, swapped or routed away."""
        for model in registry.get_models(include_auto_created=True):
            options = model._meta
            if options.proxy or options.swapped or not router.allow_migrate_model(self.connection.alias, model):
                continue
            if not options.managed or options.can_migrate(self.connection):
                yield model

    def _table(self, model: type[Model]) -> ModelTable:
        options = model._meta
        table = table_key(self.connection, options.db_table)
        return ModelTable(model, options.app_label, options.object_name or "", table, options.managed)


@contextmanager
def _readable(what: str = "") -> Iterator[None]:
    """Raise Unverifiable for whatever is raised in the block: a migration is code of the project."""
    try:
        yield
    except Exception as error:
        reason = gettext("The models cannot be built from the migrations: %(error)s")
        raise Unverifiable(reason % {"error": what + one_line(error)}) from error


def db_signature(state: ModelState) -> tuple[Any, ...]:
    """Return what the database stores of a model, in a form that compares."""
    fields = {name: field_signature(field) for name, field in state.fields.items()}
    options = {name: state.options.get(name) or None for name in DATABASE_OPTIONS}
    return fields, options, state.options.get("managed", True)


def field_signature(field: "Field[Any, Any]") -> tuple[Any, ...]:
    """Return what the database stores of a field."""
    _, path, args, kwargs = field.deconstruct()
    kept = {name: _plain(value) for name, value in kwargs.items() if name not in PYTHON_ONLY and name != "on_delete"}
    for name in ("to", "through"):
        if isinstance(kept.get(name), str):
            kept[name] = kept[name].lower()
    return path, tuple(map(_plain, args)), kept


def _plain(value: Any) -> Any:
    """Return a field within a field, as of an array, as its signature, because fields compare by identity."""
    return field_signature(value) if isinstance(value, Field) else value


def selected(tables: Iterable[ModelTable], labels: Iterable[str]) -> tuple[ModelTable, ...]:
    """Return the tables that `labels` (app or app.Model) name, all without labels. Raises Unverifiable."""
    labels = tuple(labels)
    for label in labels:
        _check_label(label)
    wanted = {label.lower() for label in labels}
    if not wanted:
        return tuple(tables)
    return tuple(table for table in tables if wanted & set(_labels(table)))


def _labels(table: ModelTable) -> tuple[str, ...]:
    """Return the labels that select a table; a many-to-many table comes with its model."""
    model: Any = table.model._meta.auto_created or table.model
    return table.app, f"{table.app}.{table.name}".lower(), model._meta.label_lower


def _check_label(label: str) -> None:
    app, dot, model = label.partition(".")
    try:
        config = installed.get_app_config(app)
        if dot:
            config.get_model(model)
    except LookupError as error:
        known = ", ".join(sorted(config.label for config in installed.get_app_configs()))
        text = gettext("%(label)s is not an installed app or model. Installed apps: %(known)s.")
        raise Unverifiable(text % {"label": label, "known": known}) from error
