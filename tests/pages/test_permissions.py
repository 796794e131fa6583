"""Permissions to see and permissions to act are separate, and both need a login."""

import pytest
from django.test import Client

from tests import legacy
from tests.pages.users import VIEW, login

VIEWS = {
    "/admin/compat/structure/": "view_structure",
    "/admin/compat/run/": "view_run",
    "/admin/compat/run/1/change/": "view_run",
    "/admin/compat/reject/": "view_reject",
    "/admin/compat/reject/1/change/": "view_reject",
}
CONFIRMATIONS = {
    "/admin/compat/structure/repair/": ("repair_structure",),
    "/admin/compat/run/roll-back/": ("operate_run", "roll_back_run"),
    "/admin/compat/run/1/cancel/": ("operate_run", "roll_back_run"),
    "/admin/compat/run/1/roll-back/": ("operate_run", "roll_back_run"),
}
ACTIONS = {
    **CONFIRMATIONS,
    "/admin/compat/run/start/": ("operate_run",),
    "/admin/compat/run/verify/": ("operate_run",),
    "/admin/compat/run/1/pause/": ("operate_run",),
    "/admin/compat/run/1/resume/": ("operate_run",),
    "/admin/compat/reject/retry/": ("retry_reject",),
}


@pytest.fixture
def copied(migrated):
    """A database with a completed run and a rejected row."""
    from compat import services

    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    assert services.migrate_performance_data().status == "completed"


@pytest.fixture
def started(monkeypatch):
    """The names of the background work that the pages would start."""
    names = []
    monkeypatch.setattr("compat.background.start", lambda work, name: names.append(name))
    return names


def test_users_without_login_are_redirected(copied):
    for path in VIEWS:
        assert Client().get(path).status_code == 302, path
    for path in ACTIONS:
        assert Client().post(path).status_code == 302, path
        assert login(staff=False).post(path).status_code == 302, path


def test_staff_without_permissions_is_refused(copied):
    client = login()
    for path in VIEWS:
        assert client.get(path).status_code == 403, path
    for path in ACTIONS:
        assert client.post(path).status_code == 403, path


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_each_page_needs_its_permission(copied):
    for path, permission in VIEWS.items():
        assert login(permission).get(path).status_code == 200, path
        assert login(*set(VIEW) - {permission}).get(path).status_code == 403, path


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_each_action_needs_its_permissions(copied, started):
    every = {permission for needed in ACTIONS.values() for permission in needed}
    for path, needed in ACTIONS.items():
        assert login(*VIEW, *needed).post(path).status_code == 302, path
        for lacking in needed:
            assert login(*VIEW, *every - {lacking}).post(path).status_code == 403, (path, lacking)
    assert started == ["compat-roll-back", "compat-roll-back", "compat-copy", "compat-verify", "compat-retry"]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_action_needs_post_and_a_token(copied, started):
    every = {permission for needed in ACTIONS.values() for permission in needed}
    client = login(*VIEW, *every, enforce_csrf_checks=True)
    for path in ACTIONS:
        assert client.post(path).status_code == 403, path
        assert client.get(path).status_code == (200 if path in CONFIRMATIONS else 405), path
    assert started == []


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_buttons_need_permissions(copied):
    seen = login(*VIEW).get("/admin/compat/run/1/change/").content.decode()
    assert "retry_selected" not in login(*VIEW).get("/admin/compat/reject/").content.decode()
    assert "retry_selected" in login(*VIEW, "retry_reject").get("/admin/compat/reject/").content.decode()
    assert "roll-back" not in seen
    assert "/start/" not in seen
    able = login(*VIEW, "operate_run", "roll_back_run").get("/admin/compat/run/1/change/").content.decode()
    assert "roll-back" in able
    assert "/start/" in able


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_the_admin_writes_no_engine_rows(copied):
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for model in ("run", "reject"):
        assert client.get(f"/admin/compat/{model}/add/").status_code == 403
        assert client.post(f"/admin/compat/{model}/1/delete/", {"post": "yes"}).status_code == 403
        assert client.post(f"/admin/compat/{model}/1/change/", {"reason": "none"}).status_code in {200, 403}
    assert legacy.execute("default", "SELECT reason FROM compat_rejectedrow")[0][0] != "none"


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_unknown_run_is_not_found(copied):
    client = login(*VIEW, "operate_run", "roll_back_run")
    for key in ("77", "x", "-1", "9" * 30):
        assert client.get(f"/admin/compat/run/{key}/change/").status_code == 404
    for action in ("pause", "resume", "cancel", "roll-back"):
        assert client.post(f"/admin/compat/run/77/{action}/").status_code == 404, action
        assert client.post(f"/admin/compat/run/{'9' * 30}/{action}/").status_code == 404, action
