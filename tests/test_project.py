"""The project behaves as any Django project does."""

import pytest
from django.db import connection

from tests.databases import manage


def test_models_and_migrations_agree(empty_url):
    manage("makemigrations", "--check", "--dry-run", url=empty_url, check=0)


def test_a_production_environment_passes_the_deployment_check(empty_url):
    manage(
        "check", "--deploy", "--fail-level=WARNING",
        url=empty_url, check=0, DJANGO_ALLOWED_HOSTS="csms.example.org", DJANGO_SECRET_KEY="k3Y-" * 20 + "0987654321",
    )  # fmt: skip


def test_production_without_a_secret_key_is_refused(empty_url):
    result = manage("check", url=empty_url, check=1, DJANGO_ALLOWED_HOSTS="csms.example.org", DJANGO_SECRET_KEY="")
    assert "DJANGO_SECRET_KEY is missing" in result.stderr


def test_a_wrong_database_url_is_explained_without_its_password(empty_url):
    result = manage("check", url="nonsense://user:pa55@host/db", check=1)
    assert "DATABASE_URL is not a database URL" in result.stderr
    assert "pa55" not in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_sqlite_is_set_up_for_real_use(migrated):
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
