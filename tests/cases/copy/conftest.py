"""The fixture `lab`: a source and a target database, within one database or between two."""

import signal
from contextlib import ExitStack, contextmanager

import pytest
from django.apps import apps
from django.test.utils import modify_settings

from tests.cases.copy.laboratory import Lab
from tests.databases import connected

TEST_SECONDS = 90


@contextmanager
def deadline():
    """Fail a test whose command never ends."""

    def fail(number, frame):
        raise TimeoutError(f"the test took more than {TEST_SECONDS} s")

    former = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture
def installed():
    """The app `lab`, whose models a test defines; they are forgotten at its end."""
    with modify_settings(INSTALLED_APPS={"append": "tests.cases.copy.lab"}):
        try:
            yield
        finally:
            apps.all_models["lab"].clear()
            apps.clear_cache()


@pytest.fixture
def postgres_url(request):
    """Return a function that gives the URL of a new PostgreSQL database, migrated or empty."""
    with ExitStack() as stack:

        def create(*, migrated):
            server = request.getfixturevalue("postgres")
            template = request.getfixturevalue("postgres_template") if migrated else "template1"
            name = server.create(template=template)
            stack.callback(server.drop, name)
            return server.url(name)

        yield create


@pytest.fixture
def sqlite_url(request, tmp_path):
    """Return a function that gives the URL of a new SQLite file, migrated or empty."""

    def create(*, migrated):
        file = tmp_path / ("migrated.sqlite3" if migrated else "old.sqlite3")
        if migrated:
            file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        return f"sqlite:///{file}"

    return create


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request, installed, sqlite_url, postgres_url, django_db_blocker):
    """A laboratory; the parameter is a vendor, or two: from one to the other."""
    source, _, target = request.param.rpartition("-")
    make = {"sqlite": sqlite_url, "postgresql": postgres_url}
    urls = {"default": make[target](migrated=True)}
    if source:
        urls["legacy"] = make[source](migrated=False)
    lab = Lab("legacy" if source else "default", urls)
    with django_db_blocker.unblock(), ExitStack() as stack:
        for alias, url in urls.items():
            stack.enter_context(connected(alias, url))
        stack.enter_context(deadline())
        yield lab
