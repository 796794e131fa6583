"""The retry policy, with errors that drivers really raise."""

import sqlite3

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError, connections

from compat.database.errors import StopRequested
from compat.database.retry import FIRST_PAUSE_SECONDS, MAX_ATTEMPTS, MAX_PAUSE_SECONDS, retry
from compat.database.stop import Stop
from tests.databases import connected, driver


class RecordedPauses(Stop):
    """A stop that notes pauses instead of sleeping, and is requested after some of them."""

    def __init__(self, stop_after=MAX_ATTEMPTS):
        super().__init__()
        self.pauses, self.stop_after = [], stop_after

    def wait(self, seconds):
        self.pauses.append(seconds)
        if len(self.pauses) >= self.stop_after:
            self.request("the test asks for it")
        return self.requested()


@pytest.fixture
def file(tmp_path, django_db_blocker):
    """A SQLite file with a table, connected as `retried`."""
    file = tmp_path / "retried.sqlite3"
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    raw.close()
    with django_db_blocker.unblock(), connected("retried", f"sqlite:///{file}"):
        connections["retried"].ensure_connection()  # the statements shall meet the lock, not the connecting
        yield file


def execute(statement):
    with connections["retried"].cursor() as cursor:
        cursor.execute(statement)


def locked_times(file, times):
    """Return an operation that meets a lock of another connection `times` times, and counts its attempts."""
    other = sqlite3.connect(file, isolation_level=None)
    attempts = []

    def operation():
        attempts.append(1)
        locked = len(attempts) <= times
        if locked:
            other.execute("BEGIN IMMEDIATE")
        try:
            execute("PRAGMA busy_timeout = 0")
            execute("INSERT INTO t DEFAULT VALUES")
        finally:
            if locked:
                other.execute("ROLLBACK")
            if not locked or len(attempts) == times:
                other.close()
        return len(attempts)

    return operation


def test_a_lock_is_retried_with_growing_pauses(file):
    stop, timeouts = RecordedPauses(), []
    attempts = retry(
        locked_times(file, 3), using=["retried"], what="insert", stop=stop, on_timeout=lambda: timeouts.append(1)
    )
    assert (attempts, len(timeouts)) == (4, 3)
    for number, pause in enumerate(stop.pauses):
        longest = FIRST_PAUSE_SECONDS * 2**number
        assert longest / 2 <= pause <= longest


def test_the_last_attempt_raises_the_error(file):
    stop = RecordedPauses(stop_after=MAX_ATTEMPTS + 1)
    with pytest.raises(OperationalError, match="locked"):
        retry(locked_times(file, MAX_ATTEMPTS), using=["retried"], what="insert", stop=stop)
    assert len(stop.pauses) == MAX_ATTEMPTS - 1
    assert max(stop.pauses) <= MAX_PAUSE_SECONDS


def test_a_stop_request_ends_the_pause(file):
    with pytest.raises(StopRequested, match="the test asks for it") as caught:
        retry(locked_times(file, 2), using=["retried"], what="insert", stop=RecordedPauses(stop_after=2))
    assert isinstance(caught.value.__cause__, OperationalError)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("INSERT INTO t VALUES (1), (1)", IntegrityError),
        ("INSERT INTO absent VALUES (1)", DatabaseError),
        ("SELEC 1", DatabaseError),
    ],
)
def test_an_error_that_is_not_transient_is_raised_at_once(file, statement, error):
    stop = RecordedPauses()
    with pytest.raises(error):
        retry(lambda: execute(statement), using=["retried"], what="statement", stop=stop)
    assert stop.pauses == []


@pytest.mark.parametrize("alias", [["unreachable"], ["unreachable", "retried"]], ids=str)
def test_a_refused_connection_is_transient_on_either_database(file, alias):
    def connect():
        with connections["unreachable"].cursor() as cursor:
            cursor.execute("SELECT 1")

    stop = RecordedPauses(stop_after=3)
    with connected("unreachable", "postgresql://nobody@127.0.0.1:9/none"), pytest.raises(StopRequested) as caught:
        retry(connect, using=alias, what="connecting", stop=stop)
    assert isinstance(caught.value.__cause__.__cause__, driver.OperationalError)
    assert len(stop.pauses) == 3


def test_an_error_that_no_driver_raised_is_not_retried(file):
    def fail():
        raise ProgrammingError("raised by hand")

    stop = RecordedPauses()
    with pytest.raises(ProgrammingError):
        retry(fail, using=["retried"], what="nothing", stop=stop)
    assert stop.pauses == []
