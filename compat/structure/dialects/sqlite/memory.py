"""Empty databases in memory."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def in_memory(connection: BaseDatabaseWrapper) -> Any:
    """Return a new connection to an empty database, with the functions that Django adds to SQLite."""
    settings = {**connection.settings_dict, "NAME": ":memory:"}
    settings["OPTIONS"] = {k: v for k, v in settings["OPTIONS"].items() if k not in ("init_command", "uri")}
    return type(connection)(settings, connection.alias)
