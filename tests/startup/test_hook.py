"""The hook starts its work in processes that serve, and only there."""

import subprocess
import sys
import threading

import pytest
from django.test import Client

from compat import services
from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job
from compat.database.locks import acquire_leadership
from compat.database.stop import Stop
from compat.startup import work
from compat.startup.hook import Hook, startup
from tests import legacy
from tests.databases import ROOT, connected, environment, manage

FORKING_SERVER = """
import os, sys, time
import django
django.setup()
from compat.startup import hook
hook.DELAY_SECONDS = 0.5

def work(stop):
    os.write(1, f"{os.getpid()} ".encode())

served = hook.Hook(work)
served.arm()
served.serve()
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        time.sleep(2)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print("children", *children)
"""


def hook_threads():
    return [thread for thread in threading.enumerate() if thread.name == "compat-startup"]


def test_a_forking_master_leaves_the_work_to_its_children(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING_SERVER],
        cwd=ROOT, env=environment(f"sqlite:///{tmp_path}/none.sqlite3", COMPAT_STARTUP=""),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    worked, _, children = result.stdout.partition("children")
    assert sorted(worked.split()) == sorted(children.split())


def test_nothing_starts_without_a_server(monkeypatch):
    monkeypatch.setenv("COMPAT_STARTUP", "copy")
    assert Client().get("/admin/login/").status_code == 200
    assert hook_threads() == []


@pytest.mark.parametrize(("value", "starts"), [("off", False), ("nonsense", False), ("verify", True), ("", True)])
def test_compat_startup_turns_it_off(monkeypatch, value, starts):
    monkeypatch.setenv("COMPAT_STARTUP", value)
    worked = threading.Event()
    hook = Hook(lambda stop: worked.set())
    hook.arm()
    hook.serve()
    assert bool(hook_threads()) is starts
    hook.shut_down()
    assert hook_threads() == []


def test_a_failure_is_logged(monkeypatch, caplog):
    monkeypatch.setenv("COMPAT_STARTUP", "copy")
    monkeypatch.setattr("compat.startup.hook.DELAY_SECONDS", 0)
    hook = Hook(lambda stop: 1 / 0)
    hook.arm()
    hook.serve()
    hook._thread.join()
    assert "the start-up work failed; the server continues" in caplog.text


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_server_does_not_copy_after_a_rollback(migrated, monkeypatch, caplog):
    monkeypatch.setenv("COMPAT_STARTUP", "copy")
    legacy.build(migrated, 20)
    services.migrate_performance_data()
    operations.roll_back(Job(PERFORMANCE))
    work._run(migrated, Stop())
    assert legacy.count(migrated) == 0
    assert "Run 1 is rolled back. To copy again: python manage.py migrate_performance" in caplog.text
    assert services.run_compatibility_fixes().copy.status == "completed"


COMMANDS = [
    ["check"], ["shell", "-c", "pass"], ["makemigrations", "--check"], ["collectstatic", "--dry-run", "--noinput"],
    ["migrate"], ["test", "csms_project"], ["showmigrations"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_other_commands_do_not_start_it(migrated, migrated_url, command):
    legacy.build(migrated, 10)
    result = manage(*command, url=migrated_url, check=0, COMPAT_STARTUP="", PYTHONWARNINGS="error::RuntimeWarning")
    assert "compat.startup" not in result.stderr
    assert legacy.count(migrated) == legacy.count(migrated, "compat_copyrun") == 0


def test_ready_uses_no_database():
    url = "postgresql://nobody@127.0.0.1:9/none"
    manage("check", url=url, check=0, COMPAT_STARTUP="", PYTHONWARNINGS="error")
    assert startup._thread is None


SECOND_PROCESS = """
import sys
import django
django.setup()
from compat.database.locks import acquire_leadership
from compat.database.stop import Stop
stop = Stop()
stop.wait = lambda seconds: stop.request("tried once")
print(acquire_leadership("default", stop))
"""


def test_one_process_of_a_server_leads(tmp_path, monkeypatch, django_db_blocker):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with connected("default", f"sqlite:///{tmp_path}/one.sqlite3"):
        assert acquire_leadership("default", Stop())
    for database, leads in (("one", "False"), ("another", "True")):
        variables = environment(f"sqlite:///{tmp_path}/{database}.sqlite3", TMPDIR=str(tmp_path))
        result = subprocess.run(
            [sys.executable, "-c", SECOND_PROCESS], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
        )
        assert result.stdout.strip() == leads
