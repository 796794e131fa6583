"""A project with torture models, migrated once on each database and copied for each test."""

from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.test.utils import modify_settings

from tests.databases import connected

PORTABLE = ["tests.structure.torture", "tests.structure.history"]
ONLY_POSTGRES = ["django.contrib.postgres", "tests.structure.pg_torture"]
WITH_EXTENSIONS = ["tests.structure.pg_extensions"]
EXTENSIONS = {"hstore", "btree_gist", "pg_trgm", "bloom"}


@contextmanager
def torture_apps(url):
    """Connect `default` to the database and install the models that it can hold, for the length of the block."""
    apps = PORTABLE
    with connected("default", url):
        if connections["default"].vendor == "postgresql":
            apps = apps + ONLY_POSTGRES + (WITH_EXTENSIONS if has_extensions() else [])
        with modify_settings(INSTALLED_APPS={"append": apps}):
            yield


def has_extensions():
    return {name for (name,) in rows("SELECT name FROM pg_available_extensions")} >= EXTENSIONS


@pytest.fixture(scope="session")
def torture_sqlite(tmp_path_factory, sqlite_template, django_db_blocker):
    """A SQLite file that holds the torture models."""
    file = tmp_path_factory.mktemp("torture") / "template.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    with django_db_blocker.unblock(), torture_apps(f"sqlite:///{file}"):
        call_command("migrate", run_syncdb=True, verbosity=0)
        populate()
        execute("PRAGMA journal_mode = DELETE")
    return file


@pytest.fixture(scope="session")
def torture_postgres(postgres, postgres_template, django_db_blocker):
    """A PostgreSQL database that holds the torture models."""
    name = postgres.create(template=postgres_template)
    with django_db_blocker.unblock(), torture_apps(postgres.url(name)):
        for extension in EXTENSIONS if has_extensions() else ():
            execute(f"CREATE EXTENSION {extension}")
        execute("CREATE SCHEMA other_schema")
        call_command("migrate", run_syncdb=True, verbosity=0)
        populate()
    yield name
    postgres.drop(name)


@pytest.fixture
def own_torture(vendor, request, tmp_path, django_db_blocker):
    """Like `torture`, in a new database on PostgreSQL too, for what cannot run inside a transaction."""
    server = name = None
    if vendor == "sqlite":
        file = tmp_path / "torture.sqlite3"
        file.write_bytes(request.getfixturevalue("torture_sqlite").read_bytes())
        url = f"sqlite:///{file}"
    else:
        server = request.getfixturevalue("postgres")
        name = server.create(template=request.getfixturevalue("torture_postgres"))
        url = server.url(name)
    with django_db_blocker.unblock(), torture_apps(url):
        yield "default"
    if server:
        server.drop(name)


@pytest.fixture(scope="session")
def torture_shared(postgres, torture_postgres):
    """A PostgreSQL database that holds the torture models, for tests that take back what they do."""
    name = postgres.create(template=torture_postgres)
    yield name
    postgres.drop(name)


@pytest.fixture
def torture(vendor, request, django_db_blocker):
    """The alias `default`, connected to a database that holds the torture models, which are installed.

    On PostgreSQL the test runs in a transaction that is taken back.
    """
    if vendor == "sqlite":
        yield request.getfixturevalue("own_torture")
        return
    url = request.getfixturevalue("postgres").url(request.getfixturevalue("torture_shared"))
    with django_db_blocker.unblock(), torture_apps(url), transaction.atomic():
        yield "default"
        transaction.set_rollback(True)


def populate():
    """Put a few rows into the tables that the tests damage."""
    from tests.structure.history.models import Book, Writer
    from tests.structure.torture.models import Child, EveryField, Line, Order, Pair, Parent, Tag

    parents = [Parent.objects.create(name=f"p{number}", code=f"c{number}") for number in range(3)]
    child = Child.objects.create(name="child", code="c9", toy="ball")
    orders = [Order.objects.create(group="g", by_code=parent) for parent in parents]
    for number, order in enumerate(orders, start=1):
        Line.objects.create(order=order, parent=parents[0], amount=number, kind="b")
    tag = Tag.objects.create(
        a_name_that_is_so_long_that_every_database_has_to_cut_it_somewhere_x=1,
        a_name_that_is_so_long_that_every_database_has_to_cut_it_somewhere_y=child,
    )
    orders[0].tags.add(tag)
    Pair.objects.create(left=1, right="r")
    for number in range(3):
        EveryField.objects.create(
            char=f"c{number}", slug=f"s{number}", date="2020-02-29", email="a@b.c", file="f", path="/", image_url="u",
            integer=number + 5, positive=number, positive_big=number, text=f"t{number}", ticks=number,
        )  # fmt: skip
    writer = Writer.objects.create(name="w")
    Book.objects.create(heading="h", isbn="i", pages=9, writer=writer).editors.add(writer)


def execute(*statements, using="default"):
    """Execute statements one by one."""
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def rows(query, using="default"):
    """Return the rows of a query."""
    with connections[using].cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
