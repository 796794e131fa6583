"""The file behind a SQLite database, and databases in memory in its place."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from compat.structure.errors import Unverifiable


def in_memory(connection: BaseDatabaseWrapper) -> Any:
    """Return a connection of its own to an empty database, with the functions that Django adds to SQLite."""
    settings = {**connection.settings_dict, "NAME": ":memory:"}
    settings["OPTIONS"] = {k: v for k, v in settings["OPTIONS"].items() if k not in ("init_command", "uri")}
    return type(connection)(settings, connection.alias)


def stand_in(connection: BaseDatabaseWrapper) -> Any:
    """Return an empty database for a file that does not exist, which connecting would create; None otherwise."""
    file = file_of(connection)
    absent = file is not None and not file.exists() and file.parent.is_dir()
    return in_memory(connection) if absent and connection.connection is None else None


def require_folder(connection: BaseDatabaseWrapper) -> None:
    """Raise Unverifiable when there is no folder for the database's file."""
    file = file_of(connection)
    if file is not None and not file.parent.is_dir():
        text = _(
            "The database %(alias)s cannot be reached: there is no folder %(folder)s. "
            "Create it, or correct the name of the database."
        )
        raise Unverifiable(text % {"alias": connection.alias, "folder": file.parent})


def file_of(connection: BaseDatabaseWrapper) -> Path | None:
    """Return the database's file, None for a database in memory."""
    name = connection.settings_dict["NAME"]
    if connection.is_in_memory_db():  # type: ignore[attr-defined]
        return None
    is_uri = connection.settings_dict["OPTIONS"].get("uri") and str(name).startswith("file:")
    return Path(unquote(urlsplit(name).path) if is_uri else os.fspath(name))
