"""Who may see is not who may act, and strangers reach nothing."""

import pytest
from django.test import Client

from tests import legacy
from tests.pages.users import VIEW, login

SEEING = {
    "/admin/compat/structure/": "view_structure",
    "/admin/compat/run/": "view_run",
    "/admin/compat/run/1/change/": "view_run",
    "/admin/compat/reject/": "view_reject",
    "/admin/compat/reject/1/change/": "view_reject",
}
ASKING = {
    "/admin/compat/structure/repair/": ("repair_structure",),
    "/admin/compat/run/roll-back/": ("operate_run", "roll_back_run"),
    "/admin/compat/run/1/cancel/": ("operate_run", "roll_back_run"),
}
ACTING = {
    **ASKING,
    "/admin/compat/run/start/": ("operate_run",),
    "/admin/compat/run/verify/": ("operate_run",),
    "/admin/compat/run/1/pause/": ("operate_run",),
    "/admin/compat/reject/retry/": ("retry_reject",),
}


@pytest.fixture
def copied(migrated):
    """A database with a complete run and a rejected row."""
    from compat import services

    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    assert services.migrate_performance_data().status == "completed"


@pytest.fixture
def asked(monkeypatch):
    """What the pages start beside the server, noted instead of started."""
    names = []
    monkeypatch.setattr("compat.background.start", lambda work, name: names.append(name))
    return names


def test_strangers_are_sent_to_the_login(copied):
    for path in SEEING:
        assert Client().get(path).status_code == 302, path
    for path in ACTING:
        assert Client().post(path).status_code == 302, path
        assert login(staff=False).post(path).status_code == 302, path


def test_plain_staff_is_refused(copied):
    client = login()
    for path in SEEING:
        assert client.get(path).status_code == 403, path
    for path in ACTING:
        assert client.post(path).status_code == 403, path


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_each_page_asks_for_its_own_permission(copied):
    for path, permission in SEEING.items():
        assert login(permission).get(path).status_code == 200, path
        assert login(*set(VIEW) - {permission}).get(path).status_code == 403, path


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_each_action_asks_for_its_own_permissions(copied, asked):
    every = {permission for needed in ACTING.values() for permission in needed}
    for path, needed in ACTING.items():
        assert login(*VIEW, *needed).post(path).status_code == 302, path
        for lacking in needed:
            assert login(*VIEW, *every - {lacking}).post(path).status_code == 403, (path, lacking)
    assert asked == ["compat-roll-back", "compat-copy", "compat-verify", "compat-retry"]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_action_needs_post_and_a_token(copied, asked):
    every = {permission for needed in ACTING.values() for permission in needed}
    client = login(*VIEW, *every, enforce_csrf_checks=True)
    for path in ACTING:
        assert client.post(path).status_code == 403, path
        assert client.get(path).status_code == (200 if path in ASKING else 405), path
    assert asked == []


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_buttons_are_shown_to_those_who_may(copied):
    seen = login(*VIEW).get("/admin/compat/run/1/change/").content.decode()
    assert "retry_selected" not in login(*VIEW).get("/admin/compat/reject/").content.decode()
    assert "retry_selected" in login(*VIEW, "retry_reject").get("/admin/compat/reject/").content.decode()
    assert "roll-back" not in seen
    assert "/start/" not in seen
    able = login(*VIEW, "operate_run", "roll_back_run").get("/admin/compat/run/1/change/").content.decode()
    assert "roll-back" in able
    assert "/start/" in able


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_nobody_writes_what_the_engines_write(copied):
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for model in ("run", "reject"):
        assert client.get(f"/admin/compat/{model}/add/").status_code == 403
        assert client.post(f"/admin/compat/{model}/1/delete/", {"post": "yes"}).status_code == 403
        assert client.post(f"/admin/compat/{model}/1/change/", {"reason": "none"}).status_code in {200, 403}
    assert legacy.execute("default", "SELECT reason FROM compat_rejectedrow")[0][0] != "none"


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_run_that_is_not_there_is_not_found(copied):
    client = login(*VIEW)
    for key in ("77", "x", "-1"):
        assert client.get(f"/admin/compat/run/{key}/change/").status_code == 404
