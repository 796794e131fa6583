"""One repair at a time, on every database; the lock ends with its process."""

import subprocess
import sys

import pytest
from django.db import connections, transaction

from compat.database import locks
from compat.database.errors import RepairBusy, StopRequested
from compat.database.locks import repair_lock
from compat.database.stop import Stop
from tests.databases import ROOT, environment

HOLD = """
import django; django.setup()
from compat.database.locks import repair_lock
with repair_lock("default"):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def holder(migrated_url):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env=environment(migrated_url),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_repair_is_refused(migrated, holder, monkeypatch):
    monkeypatch.setattr(locks, "REPAIR_WAIT_SECONDS", 0.3)
    with pytest.raises(RepairBusy, match="Another repair of the database default"), repair_lock(migrated):
        pass


def test_a_stop_request_ends_the_wait(migrated, holder):
    with pytest.raises(StopRequested), repair_lock(migrated, Stop(max_seconds=0.3)):
        pass


def test_a_killed_holder_leaves_no_lock(migrated, holder):
    holder.kill()
    holder.wait()
    with repair_lock(migrated):
        pass


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_lock_keeps_no_snapshot(migrated):
    """CREATE INDEX CONCURRENTLY waits for snapshots, also for one of the repair's own lock."""
    with connections[migrated].cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET default_transaction_isolation = 'repeatable read'")
        try:
            with repair_lock(migrated):
                cursor.execute("SET statement_timeout = '5s'")
                cursor.execute("CREATE INDEX CONCURRENTLY devices_by_name ON devices (name)")
        finally:
            cursor.execute("ALTER ROLE CURRENT_USER RESET default_transaction_isolation")
    assert not transaction.get_connection(migrated).in_atomic_block
