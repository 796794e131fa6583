"""The operations on the copy of CSMS, and displays of progress that act while rows are copied."""

from functools import partial

from compat.copies import PERFORMANCE
from compat.copying import copy_rows, dry_run, retry_rejected, roll_back, verify_copy
from compat.copying.job import NullProgress
from compat.database.stop import Stop

copy, verify = partial(copy_rows, PERFORMANCE), partial(verify_copy, PERFORMANCE)
rollback, retry, try_out = (partial(operation, PERFORMANCE) for operation in (roll_back, retry_rejected, dry_run))


def stopped():
    """Return a stop request that was made before the operation starts."""
    stop = Stop()
    stop.request("the test asks for it")
    return stop


class StopAfter(NullProgress):
    """Requests a stop after some steps."""

    def __init__(self, steps):
        self.steps, self.stop = steps, Stop()

    def advance(self, rows, note=""):
        self.steps -= 1
        if self.steps <= 0:
            self.stop.request("the test asks for it")


class AtStep(NullProgress):
    """Calls a function once, after the given number of steps."""

    def __init__(self, step, action):
        self.step, self.action = step, action

    def advance(self, rows, note=""):
        self.step -= 1
        if self.step == 0:
            self.action()
