"""A run goes through its phases in order, and is left in the state in which it ended."""

import logging
from functools import partial

import pytest
from django.utils.translation import override

from compat.copies import PERFORMANCE
from compat.copying import report
from compat.copying.errors import WritersRemain
from compat.copying.messages import Message
from compat.copying.models import CopyEvent, CopyRun
from compat.copying.runner import phases
from compat.copying.runs import store
from compat.copying.states import State
from compat.database.stop import Stop
from tests import legacy
from tests.copying.helpers import AtStep, copy, retry, roll_back

pytestmark = pytest.mark.parametrize("vendor", ["sqlite"])
COPY = ["defer_indexes", "copy", "wait_for_writers", "analyze", "restore_indexes", "verify", "sweep"]


@pytest.fixture
def entered(caplog):
    """Return a function that returns the phases since its last call."""
    caplog.set_level(logging.DEBUG, "compat.copying.runner.runner")

    def take():
        found = [record.args[1] for record in caplog.records if record.msg == "run %d: phase %s"]
        caplog.clear()
        return [phase.value for phase in found]

    return take


def test_each_operation_has_its_phases_in_order(migrated, entered):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    copy()
    assert entered() == COPY
    retry()
    assert entered() == ["retry_rejected", *COPY]
    roll_back()
    assert entered() == ["roll_back"]
    assert CopyRun.objects.get().phase == ""


def test_the_phase_is_stored_while_a_run_is_in_it(migrated):
    legacy.build(migrated, 20)
    seen = []
    copy(progress=AtStep(1, lambda: seen.append(CopyRun.objects.get().get_phase_display())))
    assert seen == ["copying"]


def test_a_stop_ends_the_run_after_the_phase(migrated, entered):
    legacy.build(migrated, 20)
    stop = Stop()
    result = copy(batch_size=5, stop=stop, progress=AtStep(2, partial(stop.request, "enough")))
    assert (result.status, result.error, result.copied, entered()) == ("stopped", "enough", 10, COPY[:2])
    assert (CopyRun.objects.get().state, CopyRun.objects.get().phase) == (State.STOPPED, "")


@pytest.mark.parametrize(
    ("error", "state", "status"),
    [
        (WritersRemain(Message("writers_remain", table="t", seconds=60.0, writers="pid 7")), "stopped", "stopped"),
        (AssertionError, None, None),
    ],
)
def test_an_error_in_a_phase_decides_the_outcome(migrated, monkeypatch, error, state, status):
    legacy.build(migrated, 20)

    def fail(job, run):
        raise error

    monkeypatch.setattr(phases.verification, "wait_for_writers", fail)
    if status is None:
        with pytest.raises(error):
            copy()
        assert CopyRun.objects.get().state == State.RUNNING, "a defect of the program records no outcome"
        return
    result = copy()
    assert (result.status, CopyRun.objects.get().state) == (status, state)
    assert result.error == str(error)


def test_a_run_that_is_taken_over_ends_without_touching_it(migrated):
    legacy.build(migrated, 20)
    take_token = partial(CopyRun.objects.update, token=99, owner="other")
    result = copy(progress=AtStep(1, take_token))
    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.error == "Another process took over run 1. --status shows which one."
    assert (CopyRun.objects.get().state, CopyRun.objects.get().owner) == (State.RUNNING, "other")


def test_events_and_errors_of_an_older_release_are_shown(migrated):
    legacy.build(migrated, 5)
    run = store.begin(PERFORMANCE, migrated, migrated)
    CopyEvent.objects.create(run=run, level="info", text="begun by hand")
    CopyRun.objects.update(error="an old sentence")
    assert str(CopyEvent.objects.last()) == "info: begun by hand"
    assert list(report.run_lines([CopyRun.objects.get()], migrated))[-1].strip() == "an old sentence"


def test_a_stored_error_is_read_in_the_language_of_the_reader(migrated):
    legacy.build(migrated, 20)
    stop = Stop()
    with override("zh-hans"):
        copy(batch_size=5, stop=stop, progress=AtStep(1, partial(stop.request, Message("time_limit"))))
        assert CopyRun.objects.get().error_text == "已达到 --max-seconds 的时限"
    assert CopyRun.objects.get().error_text == "the time limit of --max-seconds was reached"
    assert CopyEvent.objects.last().message == (
        "stopped, the time limit of --max-seconds was reached; run again to resume"
    )
