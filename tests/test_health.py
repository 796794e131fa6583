"""The health check answers whether the database can be reached and its structure has no error, and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.test import Client

from compat import services
from tests import legacy
from tests.databases import connected

OK, FAILING = (200, {"status": "ok"}), (503, {"status": "failing"})


def answer():
    response = Client().get("/health/")
    return response.status_code, response.json()


@pytest.fixture(autouse=True)
def empty_cache():
    """No cached answers of other tests."""
    cache.clear()


def test_a_database_without_errors_is_ok(migrated):
    assert answer() == OK


def test_answers_are_cached(migrated):
    assert answer() == OK
    legacy.execute(migrated, "DROP TABLE thresholds")
    assert answer() == OK
    cache.clear()
    assert answer() == FAILING


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://nobody@127.0.0.1:9/none"])
def test_an_unreachable_database_fails(django_db_blocker, url):
    with django_db_blocker.unblock(), connected("default", url):
        assert answer() == FAILING


def test_an_absent_file_fails_and_is_not_created(django_db_blocker, tmp_path):
    file = tmp_path / "absent.sqlite3"
    with django_db_blocker.unblock(), connected("default", f"sqlite:///{file}"):
        assert answer() == FAILING
    assert not file.exists()


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_it_checks_the_database_of_start_up(migrated, settings, tmp_path):
    settings.COMPAT = {"STARTUP_DATABASE": "other"}
    with connected("other", f"sqlite:///{tmp_path}/absent.sqlite3"):
        assert answer() == FAILING
    settings.COMPAT = {"STARTUP_DATABASE": "default"}
    assert answer() == OK


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize("wrong", [{"STARTUP_DATABASE": "nope"}, {"HEALTH_SECONDS": "a minute"}])
def test_a_wrong_setting_fails(migrated, settings, wrong):
    settings.COMPAT = wrong
    assert answer() == FAILING


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_unforeseen_error_fails_without_traceback(migrated, monkeypatch, caplog):
    monkeypatch.setattr(services, "verify_database_structure", lambda using: 1 / 0)
    assert answer() == FAILING
    assert "the health check failed: division by zero" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_probes_at_once_verify_once(migrated, monkeypatch):
    verified = []
    verify = services.verify_database_structure
    monkeypatch.setattr(services, "verify_database_structure", lambda using: verified.append(using) or verify(using))
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(Client().get, "/health/") for _ in range(8)]
    assert {answer.result().status_code for answer in answers} == {200}
    assert verified == ["default"]


def test_only_reading_is_allowed(migrated):
    assert Client().post("/health/").status_code == 405


def test_probes_need_no_tls(migrated, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert answer() == OK
    assert Client().get("/admin/").status_code == 301
