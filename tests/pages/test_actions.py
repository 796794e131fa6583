"""An action acts on the run in its address, or refuses with the reason; its outcome is on the page of the run."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from compat import services
from compat.admin.actions import perform, run_job
from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.runs import store
from compat.database.stop import Stop
from compat.models import Run
from tests import legacy
from tests.copying.test_two_databases import OLD_PARENTS
from tests.databases import connected
from tests.pages.test_pages import ABLE, finish, shown, text
from tests.pages.users import login

NEWER = "Run 2 copied rows after run 1. Roll back run 2 first."


def post(client, path):
    """Post to a page of the runs, wait for the background work, and return the page that follows."""
    answer = client.post(f"/admin/compat/run/{path}/", follow=True)
    assert answer.status_code == 200
    finish()
    return answer.content.decode()


@pytest.fixture
def client(migrated):
    """A user who may do everything."""
    return login(*ABLE)


@pytest.fixture
def two_runs(migrated):
    """Two completed runs of the readings: keys 1 to 20 and 21 to 30."""
    legacy.build(migrated, 20)
    services.migrate_performance_data()
    legacy.append(migrated, 21, 30)
    services.migrate_performance_data()


@pytest.fixture
def three_copies(migrated, tmp_path):
    """Three completed runs from another database: device types, devices and readings."""
    with connected("legacy", f"sqlite:///{tmp_path / 'old.sqlite3'}"):
        for statement in [*OLD_PARENTS, legacy.TABLE["sqlite"]]:
            legacy.execute("legacy", statement)
        legacy.append("legacy", 1, 60, devices=2)
        legacy.execute("legacy", "UPDATE performance_data SET device_id = 999 WHERE id = 7")
        services.migrate_performance_data(source="legacy")
        yield


def states():
    return list(CopyRun.objects.order_by("pk").values_list("state", flat=True))


def test_roll_back_takes_the_run_in_the_address(two_runs, client, migrated):
    assert NEWER in post(client, "1/roll-back")
    assert (states(), legacy.count(migrated)) == (["completed", "completed"], 30)
    post(client, "2/roll-back")
    assert (states(), legacy.count(migrated)) == (["completed", "rolled_back"], 20)
    assert "Run 2 is already rolled back." in post(client, "2/roll-back")
    assert legacy.count(migrated) == 20
    post(client, "1/roll-back")
    assert (states(), legacy.count(migrated)) == (["rolled_back", "rolled_back"], 0)


def test_cancel_takes_the_run_in_the_address(two_runs, client, migrated):
    CopyRun.objects.filter(pk=1).update(state="stopped")
    assert NEWER in text(client, "/admin/compat/run/1/cancel/")
    assert NEWER in post(client, "1/cancel")
    assert "Run 2 is completed, so it cannot be cancelled." in post(client, "2/cancel")
    assert (states(), legacy.count(migrated)) == (["stopped", "completed"], 30)
    CopyRun.objects.filter(pk=1).update(state="completed")
    CopyRun.objects.filter(pk=2).update(state="stopped")
    post(client, "2/cancel")
    assert (states(), legacy.count(migrated)) == (["completed", "rolled_back"], 20)


def test_cancel_twice_keeps_the_run_before(two_runs, client, migrated):
    CopyRun.objects.filter(pk=2).update(state="paused")
    job = run_job(CopyRun.objects.get(pk=2))
    perform(operations.cancel, [job, job], Stop())
    assert (states(), legacy.count(migrated)) == (["completed", "rolled_back"], 20)
    assert "not done: Run 2 is already rolled back." in text(client, "/admin/compat/run/2/change/")


def test_resume_and_pause_take_the_run_in_the_address(two_runs, client, migrated):
    legacy.append(migrated, 31, 40)
    assert "Run 1 is completed, so there is nothing to resume." in post(client, "1/resume")
    assert "cannot become paused" in post(client, "1/pause")
    assert states() == ["completed", "completed"]
    CopyRun.objects.filter(pk=1).update(state="stopped")
    post(client, "1/pause")
    assert states() == ["paused", "completed"]
    post(client, "1/resume")
    assert (states(), legacy.count(migrated)) == (["completed", "completed"], 30)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_actions_know_all_copies_of_the_project(three_copies, client, migrated):
    assert legacy.count(migrated) == 59
    post(client, "3/roll-back")
    assert (legacy.count(migrated), legacy.count(migrated, "devices")) == (0, 3)
    post(client, "2/roll-back")
    assert (legacy.count(migrated, "devices"), legacy.count(migrated, "device_types")) == (0, 1)
    assert states() == ["completed", "rolled_back", "rolled_back"]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_retry_takes_the_source_of_the_run(three_copies, client, migrated):
    legacy.execute("legacy", "UPDATE performance_data SET device_id = 1 WHERE device_id = 999")
    one = RejectedRow.objects.get().pk
    client.post("/admin/compat/reject/", {"action": "retry_selected", "_selected_action": [one]})
    finish()
    assert (legacy.count(migrated), RejectedRow.objects.filter(resolved_at=None).count()) == (60, 0)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_copies_of_other_projects_are_refused(two_runs, client, migrated):
    CopyRun.objects.filter(pk=2).update(copy="other", state="stopped")
    for action in ("resume", "cancel", "roll-back"):
        assert "The copy other is not declared in compat.copies." in post(client, f"2/{action}"), action
    RejectedRow.objects.create(run_id=2, source_pk=7, reason="none", payload={})
    selected = {"action": "retry_selected", "_selected_action": [RejectedRow.objects.get().pk]}
    answer = client.post("/admin/compat/reject/", selected, follow=True).content.decode()
    assert "The copy other is not declared in compat.copies." in answer
    assert (states(), legacy.count(migrated)) == (["completed", "stopped"], 30)
    assert shown(text(client, "/admin/compat/run/2/change/")) == {"Pause"}
    post(client, "2/pause")
    assert states() == ["completed", "paused"]


def test_a_busy_run_is_refused_at_once(migrated, client):
    legacy.build(migrated, 20)
    store.begin(PERFORMANCE, migrated, migrated)
    for path in ("start", "1/resume", "1/roll-back", "roll-back"):
        assert "Run 1 of performance is running: process " in post(client, path), path
    assert (states(), legacy.count(migrated)) == (["running"], 0)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_error_in_the_background_becomes_an_event(two_runs, client, monkeypatch, caplog):
    perform(lambda job: 1 / 0, [run_job(CopyRun.objects.get(pk=1))], Stop())
    assert "not done: division by zero" in text(client, "/admin/compat/run/1/change/")
    assert "division by zero" not in text(client, "/admin/compat/run/2/change/")


def test_live_is_judged_by_the_clock_of_the_database(migrated, client, monkeypatch):
    legacy.build(migrated, 20)
    store.begin(PERFORMANCE, migrated, migrated)
    host_clock = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: host_clock)
    assert "Resume" not in shown(text(client, "/admin/compat/run/1/change/"))
    Run.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    assert "Resume" in shown(text(client, "/admin/compat/run/1/change/"))


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_old_runs_offer_no_action(two_runs, client):
    assert shown(text(client, "/admin/compat/run/1/change/")) == set()
    assert shown(text(client, "/admin/compat/run/2/change/")) == {"Start a copy", "Verify", "Roll back…"}
    assert Client().post("/admin/compat/run/2/roll-back/").status_code == 302
