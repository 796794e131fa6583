"""Another session's lock delays verification and repair for a while, and never hangs them."""

import logging

import pytest

from compat.database import retry
from compat.structure.dialects.postgresql import session
from compat.structure.errors import RepairFailed, Unverifiable
from compat.structure.execution import repair
from compat.structure.verification import verify
from tests.databases import connected
from tests.structure.conftest import execute, rows

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])


@pytest.fixture
def other(migrated, migrated_url, monkeypatch):
    """A second session; nobody waits long for it."""
    monkeypatch.setattr(session, "READ_LOCK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(session, "REPAIR_LOCK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(retry, "FIRST_PAUSE_SECONDS", 0)
    with connected("other", migrated_url) as alias:
        yield alias


def lock(mode, other):
    execute("BEGIN", f"LOCK TABLE thresholds IN {mode} MODE", using=other)


def test_verification_gives_up_and_says_to_try_again(other):
    lock("ACCESS EXCLUSIVE", other)
    with pytest.raises(Unverifiable, match=r"lock on thresholds\. Try again"):
        verify()
    execute("ROLLBACK", using=other)
    assert verify().status == "ok"


def test_a_repair_gives_up_and_leaves_nothing(other):
    execute("ALTER TABLE thresholds DROP COLUMN warning")
    lock("ROW EXCLUSIVE", other)
    with pytest.raises(RepairFailed, match="could not be repaired: canceling statement due to lock timeout"):
        repair()
    execute("ROLLBACK", using=other)
    assert [issue.object for issue in verify().issues if issue.counts] == ["warning"]


class Release(logging.Handler):
    """Ends the other session's transaction as soon as the repair says that it waits."""

    def __init__(self, other):
        super().__init__()
        self.other, self.waits = other, 0

    def emit(self, record):
        if "attempt" in record.msg:
            self.waits += 1
            execute("ROLLBACK", using=self.other)


def test_a_repair_tries_again_until_the_lock_is_gone(other):
    execute("ALTER TABLE thresholds DROP COLUMN warning")
    lock("ROW EXCLUSIVE", other)
    release = Release(other)
    logger = logging.getLogger(retry.__name__)
    logger.addHandler(release)
    try:
        assert repair().status == "ok"
    finally:
        logger.removeHandler(release)
    assert release.waits == 1
    assert rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == [(0,)]
