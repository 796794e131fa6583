"""Whether all migrations are recorded as applied, told without importing any of them."""

from importlib import import_module
from pkgutil import iter_modules

from django.apps import apps as installed
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def all_recorded(connection: BaseDatabaseWrapper) -> bool:
    """Whether every migration of the installed apps is recorded as applied.

    False also where a migration is called squashed: only loading it tells which others it replaces.
    """
    recorded = MigrationRecorder(connection).applied_migrations().keys()
    return all(
        (config.label, name) in recorded and "squashed" not in name
        for config in installed.get_app_configs()
        for name in _names(config.label)
    )


def _names(app: str) -> tuple[str, ...]:
    """Return the names of an app's migrations."""
    path, _ = MigrationLoader.migrations_module(app)
    try:
        package = import_module(path) if path else None
    except ModuleNotFoundError:
        return ()
    found = iter_modules(getattr(package, "__path__", ()))
    return tuple(item.name for item in found if not item.ispkg and item.name[0] not in "_~")
