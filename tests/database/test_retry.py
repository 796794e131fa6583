"""Transient errors are retried, all others are raised at once."""

import pytest
from django.db import IntegrityError, OperationalError, connections

from compat.database import retry as policy
from compat.database.errors import StopRequested
from compat.database.retry import retry
from compat.database.stop import Stop


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(policy, "MAX_PAUSE_SECONDS", 0.001)


class Operation:
    """Runs a failing statement `failures` times, then succeeds."""

    def __init__(self, using, failures, statement):
        self.using, self.failures, self.statement, self.calls = using, failures, statement, 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            with connections[self.using].cursor() as cursor:
                cursor.execute(self.statement)
        return "done"


DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$"
TIMEOUT = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55P03'; END $$"
TERMINATE = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("statement", [DEADLOCK, TERMINATE])
def test_a_transient_error_is_retried(migrated, statement):
    operation = Operation(migrated, 3, statement)
    assert retry(operation, using=[migrated], what="test", stop=Stop()) == "done"
    assert operation.calls == 4


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_last_attempt_raises(migrated):
    operation = Operation(migrated, 100, DEADLOCK)
    with pytest.raises(OperationalError):
        retry(operation, using=[migrated], what="test", stop=Stop())
    assert operation.calls == policy.MAX_ATTEMPTS


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_timeouts_are_reported_to_the_caller(migrated):
    timeouts = []
    retry(
        Operation(migrated, 2, TIMEOUT), using=[migrated], what="test", stop=Stop(),
        on_timeout=lambda: timeouts.append(1),
    )  # fmt: skip
    assert len(timeouts) == 2


def test_a_refused_row_is_not_retried(migrated):
    operation = Operation(migrated, 1, "INSERT INTO device_types (id, name) VALUES (1, NULL)")
    with pytest.raises(IntegrityError):
        retry(operation, using=[migrated], what="test", stop=Stop())
    assert operation.calls == 1


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_stop_request_ends_the_retries(migrated):
    stop = Stop()
    stop.request("enough")
    with pytest.raises(StopRequested, match="enough"):
        retry(Operation(migrated, 100, DEADLOCK), using=[migrated], what="test", stop=stop)
