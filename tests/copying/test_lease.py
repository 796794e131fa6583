"""One owner at a time: leases expire, tokens fence former owners off."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.errors import Blocked, LeaseLost, Overtaken
from compat.copying.job import Job
from compat.copying.models import CopyRun
from compat.copying.rows.batches import copy_batch
from compat.copying.runs import lease, store
from compat.copying.states import State
from tests import legacy

ELSEWHERE = "other-host/1234abcd-1/77/9999"


@pytest.fixture
def begun(migrated):
    """A run that an owner on another machine has begun."""
    legacy.build(migrated, 50)
    run = store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(owner=ELSEWHERE)
    return CopyRun.objects.get(pk=run.pk)


def test_a_living_owner_elsewhere_is_respected_and_named(begun):
    result = operations.copy_rows(Job(PERFORMANCE))
    assert (result.status, result.exit_code) == ("blocked", 2)
    assert "process 77 on other-host" in result.error


def test_an_expired_lease_is_taken_over_and_the_former_owner_writes_nothing_more(begun, migrated):
    CopyRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert operations.copy_rows(Job(PERFORMANCE)).status == "completed"
    part = begun.ranges.get()
    with pytest.raises(LeaseLost, match="taken over"):
        copy_batch(begun, part, Job(PERFORMANCE).statements(begun), 10)
    with pytest.raises(LeaseLost):
        lease.release(begun, migrated, State.STOPPED, "stopped")
    assert CopyRun.objects.get().state == State.COMPLETED
    assert legacy.not_over(migrated) == []


def test_a_run_that_its_owner_completed_meanwhile_is_not_begun_again(begun, migrated):
    CopyRun.objects.update(owner="", lease_expires_at=None, state=State.COMPLETED)
    with pytest.raises(Overtaken, match="just changed"):
        lease.acquire(begun, migrated, State.RUNNING)
    assert CopyRun.objects.get().state == State.COMPLETED


def test_a_lease_lasts_less_than_half_a_minute(begun):
    assert begun.lease_expires_at - timezone.now() < timedelta(seconds=30)


def test_a_second_run_of_the_same_copy_is_refused_by_the_database(begun, migrated):
    CopyRun.objects.update(copy="another")
    store.begin(PERFORMANCE, migrated, migrated)
    with pytest.raises(Blocked):
        store.begin(PERFORMANCE, migrated, migrated) if CopyRun.objects.update(owner=ELSEWHERE) else None
