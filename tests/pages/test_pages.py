"""The pages show what the engines know, and their buttons do what the commands do."""

import threading

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compat.admin.csms import COUNTED
from tests import legacy
from tests.pages.users import VIEW, login

ABLE = (*VIEW, "repair_structure", "operate_run", "roll_back_run", "retry_reject")


def finish():
    """Wait for what a page has started."""
    for thread in threading.enumerate():
        if thread.name in {"compat-copy", "compat-roll-back", "compat-retry"}:
            thread.join()


def text(client, path):
    return client.get(path).content.decode()


def test_the_structure_page_repairs_after_a_look_at_the_sql(migrated):
    client = login(*ABLE)
    assert "The database is what the models need." in text(client, "/admin/compat/structure/")
    legacy.execute(migrated, "DROP TABLE thresholds")
    page = text(client, "/admin/compat/structure/")
    assert "compat.E001" in page
    assert "/repair/" in page
    assert "CREATE TABLE" in text(client, "/admin/compat/structure/repair/")
    assert legacy.execute(migrated, "SELECT count(*) FROM devices") == [(0,)]
    assert "compat.E001" in text(client, "/admin/compat/structure/")
    answer = client.post("/admin/compat/structure/repair/", follow=True).content.decode()
    assert "1 finding repaired." in answer
    assert "The database is what the models need." in answer


def test_a_copy_is_started_verified_and_taken_back_from_its_pages(migrated):
    legacy.build(migrated, 2000)
    client = login(*ABLE)
    client.post("/admin/compat/run/start/")
    finish()
    assert legacy.not_over(migrated) == []
    progress = client.get("/admin/compat/run/1/progress/").json()
    assert {key: progress[key] for key in ("state", "live", "copied", "rejected", "done")} == {
        "state": "completed", "live": False, "copied": 2000, "rejected": 0, "done": 1.0,
    }  # fmt: skip
    assert "2,000" in text(client, "/admin/compat/run/")
    assert (
        "Source and target are equal: 2,000 rows."
        in client.post("/admin/compat/run/verify/", follow=True).content.decode()
    )
    legacy.execute(migrated, "UPDATE performance_records SET cpu_usage = 1000 WHERE id = 5")
    assert "Source and target differ" in client.post("/admin/compat/run/verify/", follow=True).content.decode()
    legacy.execute(
        migrated,
        "UPDATE performance_records SET cpu_usage = (SELECT cpu_usage FROM performance_data WHERE id = 5) WHERE id = 5",
    )
    assert "2000" in text(client, "/admin/compat/run/roll-back/")
    client.post("/admin/compat/run/roll-back/")
    finish()
    assert legacy.count(migrated) == 0


def test_rejected_rows_show_reason_and_values_and_are_tried_again(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    client = login(*ABLE)
    client.post("/admin/compat/run/start/")
    finish()
    page = text(client, "/admin/compat/reject/?state=waiting")
    assert "999" in page
    assert "Try all waiting rows again" in page
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 WHERE id = 7")
    client.post("/admin/compat/reject/retry/")
    finish()
    assert legacy.not_over(migrated) == []
    assert "0 rejected rows" in text(client, "/admin/compat/reject/?state=waiting")


def test_the_list_of_records_counts_no_further_than_it_shows(migrated):
    legacy.build(migrated, COUNTED + 500)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text(client, "/admin/compat/performancerecord/")
    assert f"{COUNTED} performance records" in page
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert [sql for sql in counting if f"LIMIT {COUNTED}" not in sql] == []
    assert len(queries) < 15


def test_a_device_with_records_cannot_be_deleted_and_its_records_are_not_read(migrated):
    legacy.build(migrated, 500)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    page = text(client, "/admin/compat/device/1/delete/")
    assert "performance records of these devices" in page
    client.post("/admin/compat/device/1/delete/", {"post": "yes"})
    assert legacy.count(migrated, "devices") == 10


def test_every_form_of_the_models_opens(migrated):
    legacy.build(migrated, 5)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post("/admin/compat/run/start/")
    finish()
    for model in ("devicetype", "device", "performancerecord", "threshold"):
        assert client.get(f"/admin/compat/{model}/").status_code == 200
        assert client.get(f"/admin/compat/{model}/add/").status_code == 200
    assert client.get("/admin/compat/performancerecord/?device__id__exact=2").status_code == 200
