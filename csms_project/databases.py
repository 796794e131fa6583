"""DATABASES entries from database URLs."""

from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
MYSQL = "django.db.backends.mysql"


def parse(variable: str, url: str) -> dict[str, Any]:
    """Return the DATABASES entry for `url`, the value of the environment variable `variable`.

    Raises ImproperlyConfigured. The message does not repeat the URL because it may hold a password.
    """
    try:
        config: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
        if config["ENGINE"] not in {SQLITE, POSTGRESQL, MYSQL}:
            raise ValueError(config["ENGINE"])
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            f"{variable} is not a database URL that Django can use. Write sqlite:////absolute/path.sqlite3 "
            "or postgresql://user:password@host:port/name."
        ) from error
    if not config.get("NAME"):
        raise ImproperlyConfigured(f"{variable} names no database. Add its name after the last slash.")
    return config


def served(variable: str, url: str) -> dict[str, Any]:
    """Return the DATABASES entry of a database that the application reads and writes.

    SQLite gets a write-ahead log, so that readers and the writer do not block each other. A transaction takes
    the write lock when it begins, so that it waits for the lock then and does not fail later.
    """
    config = parse(variable, url)
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == SQLITE:
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 20)
        options.setdefault("init_command", "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    elif config["ENGINE"] == POSTGRESQL:
        options.setdefault("connect_timeout", 5)
        config["DISABLE_SERVER_SIDE_CURSORS"] = True
    return config
