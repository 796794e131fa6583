"""System checks, the setting that accepts findings, and the assertion for test suites."""

import pytest
from django.core.checks import INFO, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from compat.structure.errors import Unverifiable
from compat.structure.findings import Cause
from compat.structure.verification import verify
from compat.testing import assert_structure
from tests.structure.conftest import execute

LOST = "DROP INDEX perf_rec_device_recorded_idx"
REASON = "Readings are only ever read by id."


def compat_ids(messages):
    return [message.id for message in messages if message.id.startswith("compat.")]


def test_the_checks_report_the_same_findings_with_the_same_ids(migrated):
    assert compat_ids(run_checks(databases=["default"])) == []
    execute(LOST, "ALTER TABLE thresholds DROP COLUMN warning")
    assert compat_ids(run_checks(databases=["default"])) == [i.code for i in verify().issues if i.counts]
    assert compat_ids(run_checks()) == []


def test_a_deploy_pipeline_sees_drift(migrated):
    call_command("check", databases=["default"], fail_level="WARNING")
    execute("ALTER TABLE thresholds DROP COLUMN warning")
    with pytest.raises(SystemCheckError, match=r"compat\.E003"):
        call_command("check", databases=["default"], fail_level="WARNING")


def test_drift_does_not_stop_migrate(migrated, capsys):
    call_command("migrate", "auth", "0011", verbosity=0)
    execute("ALTER TABLE thresholds DROP COLUMN warning")
    call_command("migrate", skip_checks=False, verbosity=0)
    assert "(compat.E003) thresholds: The column warning is missing." in capsys.readouterr().err


def test_tables_of_apps_without_migrations_are_information_to_migrate(torture):
    execute("DROP TABLE order_to_tag")
    (message,) = (message for message in run_checks(databases=["default"]) if message.id.startswith("compat."))
    assert (message.id, message.level, message.hint) == ("compat.E001", INFO, "Run migrate --run-syncdb.")


def test_an_empty_database_is_migrated_with_one_calm_message(empty, capsys):
    call_command("migrate", skip_checks=False, verbosity=0)
    told = capsys.readouterr().err
    assert told.count("(compat.") == 1
    assert " findings wait for migrations: device_types, devices, " in told
    assert "Run migrate." in told


def test_unapplied_migrations_are_one_message_per_code(torture):
    call_command("migrate", "history", "0002", verbosity=0)
    execute("DROP INDEX line_amount_price", "DROP INDEX line_one_a")
    waiting = [issue for issue in verify().issues if issue.counts and issue.cause is Cause.UNAPPLIED]
    messages = [message for message in run_checks(databases=["default"]) if message.id.startswith("compat.")]
    drift = [message for message in messages if message.level > INFO]
    assert sorted(compat_ids(drift)) == ["compat.E015", "compat.W018"]
    assert sorted(compat_ids(messages)) == sorted({issue.code for issue in waiting} | {"compat.E015", "compat.W018"})


@pytest.mark.parametrize(
    "entry",
    [{"code": "compat.W018"}, {"table": "performance_*"}, {"object": "perf_rec_*", "code": "compat.W*"}],
)
def test_an_accepted_finding_is_ignored_with_its_reason(migrated, entry):
    execute(LOST)
    with override_settings(COMPAT_STRUCTURE_IGNORE=[{**entry, "reason": REASON}]):
        report = verify()
        (issue,) = (issue for issue in report.issues if issue.severity.value == "warning")
        assert (issue.ignored, report.status) == (REASON, "ok")
        assert verify(ignore=False).status == "drift"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"code": "compat.W018"}, "gives no reason"),
        ({"reason": REASON}, "would accept everything"),
        ({"column": "x", "reason": REASON}, "has the unknown key column; known keys are code, object, reason, table"),
    ],
)
def test_a_malformed_entry_is_refused(migrated, entry, message):
    with override_settings(COMPAT_STRUCTURE_IGNORE=[entry]), pytest.raises(Unverifiable, match=message):
        verify()


def test_assert_structure_names_every_difference(migrated):
    assert_structure()
    execute(LOST)
    with pytest.raises(AssertionError, match=r"compat.W018 performance_records: The index on \(device_id"):
        assert_structure(apps=["compat"])
    assert_structure(apps=["auth"])
    assert_structure(fail_on="error")
