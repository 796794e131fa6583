"""What the database should hold: the models of the project, and what its migrations make of them.

The models come from the code. The states at the end of the applied and of all migrations are built only when
there is a difference to explain: rendering them costs more than everything else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps as installed
from django.core.exceptions import ImproperlyConfigured
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import BadMigrationError, NodeNotFoundError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field, Model
from django.utils.translation import gettext

from compat.structure.errors import Unverifiable
from compat.structure.history import all_recorded

DATABASE_OPTIONS = (
    "db_table", "db_table_comment", "indexes", "constraints", "unique_together", "order_with_respect_to",
)  # fmt: skip
PYTHON_ONLY = frozenset(Field.non_db_attrs) - {"db_column", "on_delete"} | {"default", "serialize", "auto_created"}


@dataclass(frozen=True)
class Owner:
    """A model and the table that holds it."""

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
        return frozenset(rule.name for rule in (*options.indexes, *options.constraints))

    @property
    def unseen(self) -> frozenset[str]:
        """The names of indexes and constraints that the code adds to the model and makemigrations does not see."""
        options = self.model._meta
        return frozenset(
            rule.name
            for name in ("indexes", "constraints")
            if name not in options.original_attrs
            for rule in getattr(options, name)
        )

    def field(self, column: str) -> "Field[Any, Any] | None":
        """Return the field that is stored in `column`."""
        return next((field for field in self.model._meta.local_fields if field.column == column), None)


def table_key(connection: BaseDatabaseWrapper, db_table: str) -> str:
    """Return the name under which a snapshot lists `db_table`; `"schema"."table"` becomes schema.table.

    A name that is longer than the server's names is cut, in bytes, as the server cuts it.
    """
    parts = db_table.strip('"').split('"."')
    longest = connection.ops.max_name_length()
    return ".".join(part.encode()[:longest].decode(errors="ignore") for part in parts)


class Project:
    """The models and migrations of the project, as one database should hold them.

    The migrations are loaded when they are needed; Unverifiable is raised when that fails.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @cached_property
    def executor(self) -> MigrationExecutor:
        """What plans migrations. Raises Unverifiable."""
        try:
            return MigrationExecutor(self.connection)
        except (NodeNotFoundError, BadMigrationError, ImproperlyConfigured) as error:
            raise Unverifiable(gettext("The migrations cannot be loaded: %(error)s") % {"error": error}) from error

    @property
    def loader(self) -> MigrationLoader:
        """The migrations that exist, and those that are recorded. Raises Unverifiable."""
        return self.executor.loader

    @cached_property
    def latest(self) -> ProjectState:
        """The state after all migrations that exist."""
        return self.loader.project_state()

    @cached_property
    def changed(self) -> frozenset[tuple[str, str]]:
        """The models that differ from their last migration in what the database holds, if Django manages that."""
        keys = self.latest.models.keys()
        return frozenset(
            key
            for model in installed.get_models()
            if model._meta.managed
            and (key := (model._meta.app_label, model._meta.model_name or "")) in keys
            and shape(ModelState.from_model(model)) != shape(self.latest.models[key])
        )

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """All models of the project that this database should hold."""
        return tuple(map(self._owner, self._stored(installed)))

    def latest_owners(self) -> tuple[Owner, ...]:
        """The models as the migrations leave them, those without a migration included."""
        return self._state_owners(self.latest)

    def applied_owners(self) -> tuple[Owner, ...]:
        """The models as the migrations recorded as applied leave them."""
        return self._state_owners(self.applied)

    @cached_property
    def applied(self) -> ProjectState:
        """The state after the migrations recorded as applied."""
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        applied = {self.loader.graph.nodes[key] for key in self.loader.applied_migrations if self._known(key)}
        for migration, _ in self.executor.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True):
            if migration in applied:
                migration.mutate_state(state, preserve=False)
        return state

    @cached_property
    def unapplied(self) -> Mapping[str, tuple[Migration, ...]]:
        """The migrations that wait, by app label, in order."""
        waiting: dict[str, tuple[Migration, ...]] = {}
        if all_recorded(self.connection):
            return waiting
        for migration, _ in self.executor.migration_plan(self.loader.graph.leaf_nodes()):
            waiting[migration.app_label] = (*waiting.get(migration.app_label, ()), migration)
        return waiting

    @cached_property
    def without_history(self) -> frozenset[str]:
        """The apps with migrations of which none is recorded as applied."""
        if not self.unapplied:
            return frozenset()
        recorded = {label for label, _ in self.loader.applied_migrations}
        return frozenset(label for label in self.unapplied if label not in recorded)

    def makes(self, owner: Owner) -> bool:
        """Whether migrations make the model's table."""
        return owner.app in self.loader.migrated_apps

    def _known(self, key: tuple[str, str]) -> bool:
        return key in self.loader.graph.nodes

    def _state_owners(self, state: ProjectState) -> tuple[Owner, ...]:
        coded = (model for model in self._stored(installed) if model._meta.app_label in self.loader.unmigrated_apps)
        built = (model for model in self._stored(state.apps) if model._meta.app_label in self.loader.migrated_apps)
        return tuple(self._owner(model) for model in (*built, *coded))

    def _stored(self, registry: Any) -> Iterator[type[Model]]:
        """Yield the models of `registry` that this database holds: no proxies, none swapped or routed elsewhere."""
        for model in registry.get_models(include_auto_created=True):
            options = model._meta
            if options.proxy or options.swapped or not router.allow_migrate_model(self.connection.alias, model):
                continue
            if not options.managed or options.can_migrate(self.connection):
                yield model

    def _owner(self, model: type[Model]) -> Owner:
        options = model._meta
        table = table_key(self.connection, options.db_table)
        return Owner(model, options.app_label, options.object_name or "", table, options.managed)


def shape(state: ModelState) -> tuple[Any, ...]:
    """Return what the database holds of a model, in a form that compares."""
    fields = {name: field_shape(field) for name, field in state.fields.items()}
    options = {name: state.options.get(name) or None for name in DATABASE_OPTIONS}
    return fields, options, state.options.get("managed", True)


def field_shape(field: "Field[Any, Any]") -> tuple[Any, ...]:
    """Return what the database holds of a field."""
    _, path, args, kwargs = field.deconstruct()
    kept = {name: _plain(value) for name, value in kwargs.items() if name not in PYTHON_ONLY and name != "on_delete"}
    for name in ("to", "through"):
        if isinstance(kept.get(name), str):
            kept[name] = kept[name].lower()
    return path, tuple(map(_plain, args)), kept


def _plain(value: Any) -> Any:
    """Return a field within a field (of an array, of a generated column) as its shape; fields compare by identity."""
    return field_shape(value) if isinstance(value, Field) else value


def selected(owners: Iterable[Owner], labels: Iterable[str]) -> tuple[Owner, ...]:
    """Return the owners that `labels` (app or app.Model) name, all without labels. Raises Unverifiable."""
    labels = tuple(labels)
    for label in labels:
        _check_label(label)
    wanted = {label.lower() for label in labels}
    if not wanted:
        return tuple(owners)
    return tuple(owner for owner in owners if wanted & set(_labels(owner)))


def _labels(owner: Owner) -> tuple[str, ...]:
    """Return the labels that select `owner`; a many-to-many table comes with its model."""
    source: Any = owner.model._meta.auto_created or owner.model
    return owner.app, f"{owner.app}.{owner.name}".lower(), source._meta.label_lower


def _check_label(label: str) -> None:
    app, dot, model = label.partition(".")
    try:
        config = installed.get_app_config(app)
        if dot:
            config.get_model(model)
    except LookupError as error:
        known = ", ".join(sorted(config.label for config in installed.get_app_configs()))
        text = gettext("%(label)s is no installed app or model. Installed apps: %(known)s.")
        raise Unverifiable(text % {"label": label, "known": known}) from error
