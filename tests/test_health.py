"""The page for probes tells whether the database is there and sound, and nothing else."""

import pytest
from django.test import Client

from compat import health
from tests import legacy
from tests.databases import connected

OK, FAILING = (200, {"status": "ok"}), (503, {"status": "failing"})


def answer():
    response = Client().get("/health/")
    return response.status_code, response.json()


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Forget what other tests asked."""
    for question in (health._reachable, health._sound):
        monkeypatch.setattr(question, "_answer", None)


def forget():
    health._reachable._answer = health._sound._answer = None


def test_a_sound_database_is_ok(migrated):
    assert answer() == OK


def test_an_answer_holds_for_some_seconds(migrated):
    assert answer() == OK
    legacy.execute(migrated, "DROP TABLE thresholds")
    assert answer() == OK
    forget()
    assert answer() == FAILING


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://nobody@127.0.0.1:9/none"])
def test_an_absent_database_fails(django_db_blocker, url):
    with django_db_blocker.unblock(), connected("default", url):
        assert answer() == FAILING


def test_only_reading_is_allowed(migrated):
    assert Client().post("/health/").status_code == 405


def test_probes_need_no_tls(migrated, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert answer() == OK
    assert Client().get("/admin/").status_code == 301
