"""The pages show what the engines know, and their buttons do the same as the commands."""

import re
import threading
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compat.admin.csms import MAX_COUNTED_ROWS
from compat.copies import PERFORMANCE
from compat.copying.models import CopyRun, RejectedRow
from compat.copying.runs import store
from compat.copying.states import State
from tests import legacy
from tests.pages.users import VIEW, login
from tests.startup.test_servers import copy_slowly

ABLE = (*VIEW, "repair_structure", "operate_run", "roll_back_run", "retry_reject")


def finish():
    """Wait for the background work that a page started."""
    for thread in threading.enumerate():
        if thread.name in {f"compat-{work}" for work in ("copy", "verify", "cancel", "roll-back", "retry")}:
            thread.join()


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def text(client, path):
    return client.get(path).content.decode()


def test_structure_page_shows_sql_and_repairs(migrated):
    client = login(*ABLE)
    assert "The structure matches the models." in text(client, "/admin/compat/structure/")
    legacy.execute(migrated, "DROP TABLE thresholds")
    page = text(client, "/admin/compat/structure/")
    assert "compat.E001" in page
    assert "/repair/" in page
    assert "CREATE TABLE" in text(client, "/admin/compat/structure/repair/")
    assert legacy.execute(migrated, "SELECT count(*) FROM devices") == [(0,)]
    assert "compat.E001" in text(client, "/admin/compat/structure/")
    answer = client.post("/admin/compat/structure/repair/", follow=True).content.decode()
    assert "1 finding repaired." in answer
    assert "The structure matches the models." in answer
    answer = client.post("/admin/compat/structure/repair/", follow=True).content.decode()
    assert "No finding was repaired." in answer


def test_pages_start_verify_and_roll_back_a_copy(migrated):
    legacy.build(migrated, 2000)
    client = login(*ABLE)
    client.post("/admin/compat/run/start/")
    finish()
    assert legacy.not_over(migrated) == []
    assert "2,000" in text(client, "/admin/compat/run/")
    client.post("/admin/compat/run/verify/")
    finish()
    page = text(client, "/admin/compat/run/1/change/")
    assert "verified, 2000 rows: source and target are equal" in page
    assert shown(page) == STATES["completed"]
    legacy.execute(migrated, "UPDATE performance_records SET cpu_usage = 1000 WHERE id = 5")
    client.post("/admin/compat/run/verify/")
    finish()
    page = text(client, "/admin/compat/run/1/change/")
    assert "source and target differ: 1 changed" in page
    assert "different" in page
    legacy.execute(
        migrated,
        "UPDATE performance_records SET cpu_usage = (SELECT cpu_usage FROM performance_data WHERE id = 5) WHERE id = 5",
    )
    assert "2,000" in text(client, "/admin/compat/run/roll-back/")
    client.post("/admin/compat/run/roll-back/")
    finish()
    assert legacy.count(migrated) == 0
    assert shown(text(client, "/admin/compat/run/1/change/")) == {"Start a copy"}


def shown(page):
    """Return the labels of the buttons of a page."""
    part = page.partition('id="buttons"')[2].partition("</div>")[0]
    return {posted or asked for posted, asked in re.findall(r'value="([^"]+)"|href="[^"]+">([^<]+)<', part)}


STATES = {
    "running": {"Pause", "Cancel…"},
    "stopped": {"Resume", "Pause", "Verify", "Cancel…", "Roll back…"},
    "paused": {"Resume", "Verify", "Cancel…", "Roll back…"},
    "failed": {"Resume", "Pause", "Verify", "Cancel…", "Roll back…"},
    "completed": {"Start a copy", "Verify", "Roll back…"},
    "rolling_back": {"Verify", "Roll back…"},
    "rolled_back": {"Start a copy"},
}


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_buttons_follow_the_state_of_a_run(migrated):
    legacy.build(migrated, 50)
    started = store.begin(PERFORMANCE, migrated, migrated)
    client = login(*ABLE)
    for state, expected in STATES.items():
        CopyRun.objects.update(state=state, owner=started.owner if state == "running" else "")
        for path in ("/admin/compat/run/1/change/", "/admin/compat/run/"):
            assert shown(text(client, path)) == expected, (state, path)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_run_page_pauses_resumes_and_cancels(migrated):
    legacy.build(migrated, 3000)
    copy_slowly(migrated)
    client = login(*ABLE)
    client.post("/admin/compat/run/start/")
    wait_for(lambda: legacy.count(migrated))
    client.post("/admin/compat/run/1/pause/")
    assert "pause, at the next batch border" in text(client, "/admin/compat/run/1/change/")
    finish()
    page = text(client, "/admin/compat/run/1/change/")
    assert "paused by user0" in page
    assert shown(page) == STATES["paused"]
    client.post("/admin/compat/run/1/resume/")
    wait_for(lambda: CopyRun.objects.get().state == State.RUNNING)
    assert f"{legacy.count(migrated):,} rows" in text(client, "/admin/compat/run/1/cancel/")
    client.post("/admin/compat/run/1/cancel/")
    finish()
    assert CopyRun.objects.get().state == State.ROLLED_BACK
    assert legacy.count(migrated) == 0
    assert "cancelled by user0" in text(client, "/admin/compat/run/1/change/")


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_run_page_says_how_deferred_indexes_are_restored(migrated):
    legacy.build(migrated, 50)
    store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(
        owner="", deferred_indexes=[{"name": "perf_rec_device_recorded_idx", "create": "", "after": ""}]
    )
    page = text(login(*ABLE), "/admin/compat/run/1/change/")
    assert "perf_rec_device_recorded_idx" in page
    assert "verify_structure --fix" in page


def test_a_copy_that_cannot_start_is_refused_at_once(migrated):
    client = login(*ABLE)
    answer = client.post("/admin/compat/run/start/", follow=True).content.decode()
    assert "The table performance_data is not in the database" in answer


def test_rejected_rows_are_shown_and_retried(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 8)")
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id = 9")
    client = login(*ABLE)
    client.post("/admin/compat/run/start/")
    finish()
    page = text(client, "/admin/compat/reject/?state=open")
    assert "<b>device_id</b> 999" in page
    assert "Retry all open rows" in page
    reason = "device_id refers to a row that is not in devices"
    assert f"{reason} (2)" in page
    assert "2 rejected rows" in text(client, "/admin/compat/reject/?reason=orphan:device_id")
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 WHERE device_id = 999")
    one = RejectedRow.objects.get(source_pk=8).pk
    client.post("/admin/compat/reject/", {"action": "retry_selected", "_selected_action": [one]})
    finish()
    assert legacy.not_over(migrated) == [7, 9]
    client.post("/admin/compat/reject/retry/")
    finish()
    assert legacy.not_over(migrated) == [9]
    assert "1 rejected row" in text(client, "/admin/compat/reject/?state=open")


def test_list_of_records_counts_a_limited_number(migrated):
    legacy.build(migrated, MAX_COUNTED_ROWS + 500)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text(client, "/admin/compat/performancerecord/")
    assert f"{MAX_COUNTED_ROWS} performance records" in page
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert [sql for sql in counting if f"LIMIT {MAX_COUNTED_ROWS}" not in sql] == []
    assert len(queries) < 15


def test_a_device_with_records_cannot_be_deleted(migrated):
    legacy.build(migrated, 500)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    page = text(client, "/admin/compat/device/1/delete/")
    assert "performance records of these devices" in page
    client.post("/admin/compat/device/1/delete/", {"post": "yes"})
    assert legacy.count(migrated, "devices") == 10


def test_all_forms_open(migrated):
    legacy.build(migrated, 5)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    for model in ("devicetype", "device", "performancerecord", "threshold"):
        assert client.get(f"/admin/compat/{model}/").status_code == 200
        assert client.get(f"/admin/compat/{model}/add/").status_code == 200
    assert client.get("/admin/compat/performancerecord/?device__id__exact=2").status_code == 200
