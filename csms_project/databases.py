"""Turn database URLs into Django's DATABASES entries."""

from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
MYSQL = "django.db.backends.mysql"


def parse(variable: str, url: str) -> dict[str, Any]:
    """Return the DATABASES entry for `url`, which stands in the environment variable `variable`.

    Raises ImproperlyConfigured without repeating the URL, for it may hold a password.
    """
    try:
        config: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
        if config["ENGINE"] not in {SQLITE, POSTGRESQL, MYSQL}:
            raise ValueError(config["ENGINE"])
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            f"{variable} is not a database URL that Django can use. Write sqlite:////absolute/path.sqlite3, "
            "postgresql://user:password@host:port/name or mysql://user:password@host:port/name."
        ) from error
    if not config.get("NAME"):
        raise ImproperlyConfigured(f"{variable} names no database: the part after the last slash is empty.")
    return config


def served(variable: str, url: str) -> dict[str, Any]:
    """Return the entry of a database that the application itself reads and writes.

    SQLite gets a write-ahead log, so that readers and the writer do not block each other, and takes the
    write lock when a transaction begins, so that it waits for the lock instead of failing half-way.
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
