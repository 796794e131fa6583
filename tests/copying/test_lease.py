"""One lease holder at a time: leases expire, and tokens shut out former holders."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from compat.copies import PERFORMANCE
from compat.copying.errors import Blocked, LeaseLost, Overtaken
from compat.copying.job import Job
from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.rows.batches import copy_batch
from compat.copying.runner import deferred_indexes
from compat.copying.runs import lease, store
from compat.copying.runs.lease_holder import holder_identity, is_dead
from compat.copying.states import State
from tests import legacy
from tests.copying.helpers import copy

ELSEWHERE = "other-host/1234abcd-1/77/9999"


@pytest.fixture
def held_elsewhere(migrated):
    """A run whose lease a process on another machine holds."""
    legacy.build(migrated, 50)
    run = store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(owner=ELSEWHERE)
    return CopyRun.objects.get(pk=run.pk)


def test_a_live_holder_on_another_machine_is_named(held_elsewhere):
    result = copy()
    assert (result.status, result.exit_code) == ("blocked", 2)
    assert "process 77 on other-host" in result.error


def test_after_a_takeover_the_former_holder_writes_nothing(held_elsewhere, migrated):
    CopyRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert copy().status == "completed"
    part = held_elsewhere.ranges.get()
    with pytest.raises(LeaseLost, match="took over"):
        copy_batch(held_elsewhere, part, Job(PERFORMANCE).statements(held_elsewhere), 10)
    with pytest.raises(LeaseLost):
        lease.release(held_elsewhere, migrated, State.STOPPED, Message.of("stopped"))
    assert CopyRun.objects.get().state == State.COMPLETED
    assert legacy.not_over(migrated) == []


def test_a_run_that_was_just_completed_is_not_resumed(held_elsewhere, migrated):
    CopyRun.objects.update(owner="", lease_expires_at=None, state=State.COMPLETED)
    with pytest.raises(Overtaken, match="just changed"):
        lease.acquire(held_elsewhere, migrated, State.RUNNING)
    assert CopyRun.objects.get().state == State.COMPLETED


def test_a_lease_lasts_less_than_half_a_minute(held_elsewhere):
    assert held_elsewhere.lease_expires_at - timezone.now() < timedelta(seconds=30)


def test_a_second_run_of_the_same_copy_is_refused_by_the_database(held_elsewhere, migrated):
    CopyRun.objects.update(copy="another")
    store.begin(PERFORMANCE, migrated, migrated)
    with pytest.raises(Blocked):
        store.begin(PERFORMANCE, migrated, migrated) if CopyRun.objects.update(owner=ELSEWHERE) else None


def test_a_former_holder_defers_no_index(migrated):
    legacy.build(migrated, 20)
    former = store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(owner="elsewhere", lease_expires_at=timezone.now() - timedelta(seconds=1))
    copy()
    with pytest.raises(LeaseLost):
        deferred_indexes.defer(Job(PERFORMANCE), former)
    assert CopyRun.objects.get().deferred_indexes == []


def test_only_a_holder_that_is_known_to_be_dead_is_replaced_early():
    host, namespace, pid, started = holder_identity().split("/")
    assert not is_dead(holder_identity())
    assert is_dead(f"{host}/{namespace}/{pid}/{int(started) - 1}")
    assert is_dead(f"{host}/{namespace}/{2**22 + 1}/{started}")
    assert not is_dead(f"{host}/another-container/{pid}/{started}")
    assert not is_dead(f"other-host/{namespace}/{os.getpid()}/1")
