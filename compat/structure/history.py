"""The recorded migrations: whether all are recorded, and where the record and the code contradict each other."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from django.apps import apps as installed
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext

from compat.structure.errors import Unverifiable

Migrations = Mapping[str, tuple[str, ...]]
"""Names of migrations by app label."""


def all_recorded(connection: BaseDatabaseWrapper) -> bool:
    """Whether every migration of the installed apps is recorded as applied, told without importing any of them.

    False also where a migration is called squashed: only loading it tells which others it replaces.
    """
    recorded = MigrationRecorder(connection).applied_migrations().keys()
    return all(
        (config.label, name) in recorded and "squashed" not in name
        for config in installed.get_app_configs()
        for name in names_of(config.label)
    )


def names_of(app: str) -> tuple[str, ...]:
    """Return the names of an app's migrations, without importing them."""
    path, _ = MigrationLoader.migrations_module(app)
    try:
        package = import_module(path) if path else None
    except ModuleNotFoundError:
        return ()
    found = iter_modules(getattr(package, "__path__", ()))
    return tuple(item.name for item in found if not item.ispkg and item.name[0] not in "_~")


def unknown(connection: BaseDatabaseWrapper) -> Migrations:
    """Return the recorded migrations of installed apps that have no file, in the order of their records."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return {}
    known = {config.label: set(names_of(config.label)) for config in installed.get_app_configs()}
    found: dict[str, tuple[str, ...]] = {}
    for app, name in recorder.migration_qs.order_by("id").values_list("app", "name"):
        if known.get(app) and name not in known[app]:
            found[app] = (*found.get(app, ()), name)
    return found


def newer(loader: MigrationLoader, connection: BaseDatabaseWrapper) -> Migrations:
    """Return the recorded migrations that only newer code has.

    A migration without a file is none of them if it was squashed: a migration that replaces it, or that starts the
    app's history again or is called squashed, was recorded after it.
    """
    found: dict[str, tuple[str, ...]] = {}
    order = list(MigrationRecorder(connection).migration_qs.order_by("id").values_list("app", "name"))
    for app, names in unknown(connection).items():
        replaced = {name for key in loader.disk_migrations for label, name in _replaces(loader, key) if label == app}
        later = max((at for at, key in enumerate(order) if key[0] == app and _squashes(loader, key)), default=-1)
        left = tuple(name for name in names if name not in replaced and order.index((app, name)) > later)
        if left:
            found[app] = left
    return found


def _replaces(loader: MigrationLoader, key: tuple[str, str]) -> list[tuple[str, str]]:
    return list(loader.disk_migrations[key].replaces)


def _squashes(loader: MigrationLoader, key: tuple[str, str]) -> bool:
    """Whether a known migration may stand for others that were recorded before it."""
    migration = loader.disk_migrations.get(key)
    if migration is None:
        return False
    starts = not any(app == key[0] for app, _ in migration.dependencies)
    return bool(starts or migration.replaces or "squashed" in key[1])


def require_consistent(loader: MigrationLoader, alias: str) -> None:
    """Raise Unverifiable if a migration is recorded and one that it depends on is not."""
    missing: dict[tuple[str, str], tuple[str, str]] = {}
    for child, parent in _gaps(loader):
        missing.setdefault(parent, child)
    if not missing:
        return
    values = ", ".join(f"('{app}', '{name}', CURRENT_TIMESTAMP)" for app, name in missing)
    text = gettext(
        "%(child)s is recorded as applied in the database %(alias)s, but %(parent)s, on which it depends, is not. "
        "Restore the missing records if the database has what these migrations add: %(sql)s"
    )
    parent, child = next(iter(missing.items()))
    sql = f"INSERT INTO django_migrations (app, name, applied) VALUES {values};"  # noqa: S608  shown, not run
    raise Unverifiable(text % {"child": ".".join(child), "parent": ".".join(parent), "alias": alias, "sql": sql})


def _gaps(loader: MigrationLoader) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield each recorded migration with a parent that is not recorded, by Django's own rule."""
    applied, graph = loader.applied_migrations, loader.graph
    for key in sorted(applied):
        for parent in sorted(graph.node_map[key].parents) if key in graph.nodes else ():
            parts = loader.replacements[parent.key].replaces if parent.key in loader.replacements else ()
            if parent.key not in applied and not (parts and all(part in applied for part in parts)):
                yield key, parent.key
