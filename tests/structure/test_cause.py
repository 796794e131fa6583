"""Each finding says whether the database drifted, a migration waits, or the models changed without one."""

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import modify_settings

from compat.structure.execution import repair
from compat.structure.findings import Cause, Severity
from compat.structure.project import Project, field_signature
from compat.structure.verification import verify
from tests.structure.conftest import execute


def causes():
    return {(issue.table, issue.object): issue.cause for issue in verify().issues if issue.counts}


def test_what_a_recorded_migration_should_have_made_has_drifted(torture):
    execute("ALTER TABLE history_writer DROP COLUMN status")
    assert causes() == {("history_writer", "status"): Cause.DRIFT}


@pytest.fixture
def a_migration_back(torture):
    """The app `history` is one migration behind."""
    call_command("migrate", "history", "0002", verbosity=0)


def test_what_an_unapplied_migration_creates_waits_for_it(a_migration_back):
    issues = [issue for issue in verify().issues if issue.counts]
    assert {"status", "book_pages"} <= {issue.object for issue in issues}
    assert {issue.cause for issue in issues} == {Cause.UNAPPLIED}
    assert all("history.0003_keys" in issue.hint and not issue.fixable for issue in issues)
    assert repair(rewrite=True).statements == ()


def test_drift_is_told_from_a_waiting_migration(a_migration_back):
    execute("DROP TABLE history_book_editors")
    found = causes()
    assert found["history_book_editors", "history_book_editors"] is Cause.DRIFT
    assert found["history_writer", "status"] is Cause.UNAPPLIED


@pytest.fixture
def new_field(torture):
    """A field that the model has and no migration knows."""
    from tests.structure.history.models import Writer

    field = models.IntegerField(null=True)
    field.contribute_to_class(Writer, "born")
    yield
    Writer._meta.local_fields.remove(field)
    Writer._meta._expire_cache()
    del Writer.born


def test_a_model_that_changed_without_a_migration(torture, new_field):
    (issue,) = (issue for issue in verify().issues if issue.counts)
    assert (issue.object, issue.cause) == ("born", Cause.MISSING)
    assert "makemigrations history" in issue.hint
    assert repair().status == "drift"


def test_an_app_with_an_unknown_migration_is_one_warning(torture):
    MigrationRecorder(connection).record_applied("history", "0099_gone")
    (issue,) = (issue for issue in verify().issues if issue.counts)
    assert (issue.code, issue.app) == ("compat.W025", "history")
    assert "0099_gone" in issue.message


def test_an_unmanaged_model_needs_no_migration(torture):
    assert Project(connection).changed == frozenset()


def test_keys_as_narrow_as_their_migrations_made_them_are_information(torture):
    with modify_settings(INSTALLED_APPS={"append": "tests.structure.narrow"}):
        call_command("migrate", "narrow", verbosity=0)
        report = verify()
        assert [(issue.code, issue.table, issue.message) for issue in report.issues if issue.counts] == []
        narrow = {issue.object for issue in report.issues if issue.kind.name == "type" and issue.app == "narrow"}
        assert narrow == ({"id", "maker_id", "thing_id"} if connection.vendor == "postgresql" else narrow)
        execute("ALTER TABLE narrow_maker DROP COLUMN name")
        (issue,) = (issue for issue in verify().issues if issue.counts)
        assert (issue.cause, issue.severity) == (Cause.DRIFT, Severity.ERROR)


def test_fields_within_fields_compare_by_what_they_store():
    def generated(length):
        return models.GeneratedField(
            expression=models.F("x"), output_field=models.CharField(max_length=length), db_persist=True
        )

    assert field_signature(generated(3)) == field_signature(generated(3))
    assert field_signature(generated(3)) != field_signature(generated(4))


def test_information_has_the_cause_drift(torture, new_field):
    execute("CREATE INDEX x ON torture_line (id, amount)")
    assert {issue.object: issue.cause for issue in verify().issues if issue.object in ("x", "born")} == {
        "x": Cause.DRIFT, "born": Cause.MISSING,
    }  # fmt: skip


def test_migrations_are_loaded_only_when_one_is_not_recorded(torture):
    project = Project(connection)
    assert project.unapplied == {}
    assert "executor" not in vars(project)
    execute("DELETE FROM django_migrations WHERE app = 'history' AND name = '0003_keys'")
    assert [migration.name for migration in Project(connection).unapplied["history"]] == ["0003_keys"]
