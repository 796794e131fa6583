"""Requests reach a run through the database; events, the log and signals tell what happened."""

import json
import logging
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from compat import services
from compat.copies import PERFORMANCE
from compat.copying import signals
from compat.copying.errors import ForbiddenTransition
from compat.copying.models import CopyEvent, CopyRun, Request
from compat.copying.runs import requests, store
from compat.copying.runs.samples import MAX_SAMPLES, Sample, speeds, with_sample
from compat.copying.states import State
from tests import legacy
from tests.copying.helpers import cancel, roll_back, verify
from tests.copying.test_processes import ROWS, finish, start, wait_for_rows
from tests.databases import ROOT


def texts():
    return [(event.level, event.message) for event in CopyEvent.objects.order_by("pk")]


@pytest.mark.slow
def test_a_run_of_another_process_is_paused_until_a_person_resumes_it(migrated, migrated_url, caplog, monkeypatch):
    legacy.build(migrated, ROWS)
    monkeypatch.setenv("COMPAT_LOG_FORMAT", "json")
    process = start(migrated_url, "--batch-size=5", "--pause=0.9")
    wait_for_rows(migrated, process, 10)
    requests.ask(CopyRun.objects.get(), migrated, Request.PAUSE, "ann")
    code, out, err = finish(process)
    assert (code, json.loads(out)["status"], json.loads(out)["error"]) == (3, "stopped", "paused by ann"), err
    assert ("paused by ann", 1) in [
        (event["message"].removeprefix("run 1: "), event["run"]) for event in map(json.loads, err.splitlines())
        if "run" in event
    ]  # fmt: skip
    run = CopyRun.objects.get()
    assert (run.state, run.owner, run.request) == (State.PAUSED, "", "")
    assert legacy.count(migrated) % 5 == 0
    assert services.run_compatibility_fixes().copy is None
    assert "Run 1 is paused: paused by ann. To resume it: python manage.py migrate_performance" in caplog.text
    assert CopyRun.objects.get().state == State.PAUSED
    assert services.migrate_performance_data().status == "completed"
    assert legacy.not_over(migrated) == []
    assert [text.split(" process")[0].partition(",")[0] for _, text in texts()] == [
        "started by", "pause requested by ann", "paused by ann", "running:",
        "completed",
    ]  # fmt: skip


@pytest.mark.parametrize("state", [State.RUNNING, State.STOPPED, State.FAILED])
def test_a_run_without_a_holder_is_paused_at_once(migrated, state):
    legacy.build(migrated, 50)
    former = store.begin(PERFORMANCE, migrated, migrated)
    CopyRun.objects.update(state=state, lease_expires_at=timezone.now() - timedelta(seconds=1))
    requests.ask(former, migrated, Request.PAUSE)
    run = CopyRun.objects.get()
    assert (run.state, run.error_text, run.owner) == (State.PAUSED, "paused on request", "")
    assert run.token == run.ranges.get().token == former.token + 1
    with pytest.raises(ForbiddenTransition):
        requests.ask(run, migrated, Request.PAUSE)


def test_a_pause_takes_effect_after_its_holder_died(migrated):
    legacy.build(migrated, 50)
    requests.ask(store.begin(PERFORMANCE, migrated, migrated), migrated, Request.PAUSE, "ann")
    assert CopyRun.objects.get().state == State.RUNNING
    CopyRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert services.run_compatibility_fixes().copy is None
    assert CopyRun.objects.get().state == State.PAUSED


@pytest.mark.slow
def test_a_cancelled_run_of_another_process_is_rolled_back_here(migrated, migrated_url):
    legacy.build(migrated, ROWS)
    process = start(migrated_url, "--batch-size=5", "--pause=0.9")
    wait_for_rows(migrated, process, 10)
    requests.ask(CopyRun.objects.get(), migrated, Request.CANCEL, "ann")
    assert cancel().status == "rolled_back"
    assert finish(process)[0] == 3
    assert legacy.count(migrated) == 0
    assert [text for _, text in texts()][1:3] == [
        "cancellation requested by ann, at the next batch border", "cancelled by ann",
    ]  # fmt: skip


def test_cancelling_rolls_back_only_the_newest_run(migrated):
    legacy.build(migrated, 50)
    services.migrate_performance_data()
    legacy.append(migrated, 51, 80)
    services.migrate_performance_data()
    assert cancel().status == "rolled_back"
    assert legacy.count(migrated) == 50
    assert list(CopyRun.objects.order_by("pk").values_list("state", flat=True)) == ["completed", "rolled_back"]


def test_every_change_of_state_is_an_event_and_a_log_record(migrated, caplog):
    caplog.set_level(logging.INFO, "compat.copying.events")
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    services.migrate_performance_data()
    verify()
    roll_back()
    started, completed, verified, rolling_back, rolled_back = texts()
    assert started[1].endswith(": keys 1 to 20, offset 0")
    assert completed[1].startswith("completed, 19 rows copied, 1 rejected, 1 batches, ")
    assert verified == ("info", "verified, 19 rows: source and target are equal")
    assert rolling_back[1].endswith("the run was completed")
    assert rolled_back[1].startswith("rolled back, 19 rows deleted in ")
    records = [record for record in caplog.records if record.name == "compat.copying.events"]
    assert [record.getMessage() for record in records] == [f"run 1: {text}" for _, text in texts()]
    assert {record.run for record in records} == {1}


@pytest.fixture
def no_receivers(monkeypatch):
    """The signals without receivers."""
    for signal in (signals.run_finished, signals.run_failed, signals.rows_rejected):
        monkeypatch.setattr(signal, "receivers", [])


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_receivers_get_signals_and_may_raise(migrated, no_receivers, caplog):
    told = []

    def note(signal, sender, run, result, **facts):
        told.append((signal, sender.name, run, result.status, facts.get("count")))
        raise ValueError("a receiver's own trouble")

    for signal in (signals.run_finished, signals.rows_rejected):
        signal.connect(note, sender=PERFORMANCE, weak=False)
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 8)")
    assert services.migrate_performance_data().status == "completed"
    assert told == [
        (signals.run_finished, "performance", 1, "completed", None),
        (signals.rows_rejected, "performance", 1, "completed", 2),
    ]
    assert caplog.text.count("Error calling") == 2
    assert roll_back().status == "rolled_back"
    assert told[2:] == [(signals.run_finished, "performance", 1, "rolled_back", None)]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_the_documented_receivers_send_mail(migrated, no_receivers, settings, mailoutbox, monkeypatch):
    settings.ADMINS = [("root", "root@example.org")]
    section = (ROOT / "docs" / "operations.md").read_text().partition("## Signals")[2]
    example = {}
    exec(section.partition("```python")[2].partition("```")[0], example)
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id IN (7, 8)")
    assert services.migrate_performance_data().status == "completed"
    legacy.append(migrated, 21, 30)
    monkeypatch.setattr(
        "compat.copying.runner.phases.copy_ranges", lambda job, run: legacy.execute(migrated, "nonsense")
    )
    assert services.migrate_performance_data().status == "failed"
    assert [mail.subject.removeprefix(settings.EMAIL_SUBJECT_PREFIX) for mail in mailoutbox] == [
        "Run 1: 2 rows were rejected", "Run 2 failed",
    ]  # fmt: skip
    assert "nonsense" in mailoutbox[1].body


def test_samples_are_bounded_and_spread_evenly():
    samples = []
    for second in range(1, 5001):
        samples = with_sample(samples, Sample(float(second), second * 100, second // 10))
    assert len(samples) == MAX_SAMPLES
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(samples)]
    assert max(gaps) <= 4 * 5000 / MAX_SAMPLES
    assert {round(speed.rate) for speed in speeds(samples)} == {100}
    assert samples[-1][0] == 5000
