"""A throttled copy rests after its batches and waits while the server is under pressure."""

import pytest

from compat.copying.dialects.sqlite.session import SQLiteSession
from compat.copying.runner import throttle
from compat.copying.runner.throttle import Limits, Throttle
from compat.database.stop import Stop


class RecordedPauses(Stop):
    def __init__(self):
        super().__init__()
        self.pauses = []

    def wait(self, seconds):
        self.pauses.append(seconds)
        return False


@pytest.mark.parametrize(("pause", "pauses"), [(0.0, []), (0.5, [2.0]), (0.75, [6.0]), (0.2, [0.5])])
def test_the_pause_is_a_fraction_of_the_whole_time(pause, pauses):
    stop = RecordedPauses()
    Throttle("default", Limits(pause=pause), stop).rest(2.0)
    assert stop.pauses == pytest.approx(pauses)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_pressure_is_asked_for_again_until_it_is_gone(migrated, monkeypatch):
    answers, asked, now = iter(["a standby lags", "a standby lags", "", ""]), [], [100.0]

    def pressure(self, cursor, lag, lock_waits):
        asked.append((lag, lock_waits))
        return next(answers)

    monkeypatch.setattr(SQLiteSession, "pressure", pressure)
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    throttled = Throttle(migrated, Limits(lag=3.0, lock_waits=4), Stop())
    assert [throttled.pressure() for _ in range(4)] == ["a standby lags", "a standby lags", "", ""]
    assert asked == [(3.0, 4)] * 3, "the server is not asked again within the poll interval"
    now[0] += throttle.PRESSURE_POLL_SECONDS
    assert throttled.pressure() == ""
    assert len(asked) == 4
