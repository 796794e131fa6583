"""The routes that a case takes: within one database, or from one to another."""

import pytest

SQLITE, POSTGRESQL = "sqlite", "postgresql"
WITHIN = (SQLITE, POSTGRESQL)
TO_POSTGRESQL, TO_SQLITE, BETWEEN_SERVERS = "sqlite-postgresql", "postgresql-sqlite", "postgresql-postgresql"
EACH = (*WITHIN, TO_POSTGRESQL, TO_SQLITE)
FROM_SQLITE = (SQLITE, TO_POSTGRESQL)
FROM_POSTGRESQL = (POSTGRESQL, BETWEEN_SERVERS, TO_SQLITE)
INTO_POSTGRESQL = (POSTGRESQL, BETWEEN_SERVERS, TO_POSTGRESQL)
ALL = (*EACH, BETWEEN_SERVERS)


def on(*routes):
    """Run a test on these routes."""
    return pytest.mark.parametrize("lab", routes, indirect=True)
