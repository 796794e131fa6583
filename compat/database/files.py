"""The file of a SQLite database. Connecting to a file that does not exist would create it."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.db.backends.base.base import BaseDatabaseWrapper


def database_file(connection: BaseDatabaseWrapper) -> Path | None:
    """Return the file of a SQLite connection; None for a database in memory and for other vendors."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():  # type: ignore[attr-defined]
        return None
    name = connection.settings_dict["NAME"]
    is_uri = str(name).startswith("file:")
    return Path(unquote(urlsplit(str(name)).path) if is_uri else os.fspath(name))


def absent_file(connection: BaseDatabaseWrapper) -> Path | None:
    """Return the file that connecting would create, or None."""
    file = database_file(connection)
    return file if file is not None and connection.connection is None and not file.exists() else None
