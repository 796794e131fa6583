"""The operations on the copy of CSMS, and displays of progress that act while rows are copied."""

from functools import partial

from compat import copying
from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job, NullProgress
from compat.database.stop import Stop

copy = partial(copying.copy_rows, PERFORMANCE)
verify = partial(copying.verify_copy, PERFORMANCE)
roll_back = partial(copying.roll_back, PERFORMANCE)
retry = partial(copying.retry_rejected, PERFORMANCE)
dry_run = partial(copying.dry_run, PERFORMANCE)


def cancel(**options):
    return operations.cancel(Job(PERFORMANCE, **options))


def stop_requested():
    """Return a stop that is requested before the operation starts."""
    stop = Stop()
    stop.request("the test asks for it")
    return stop


class AtStep(NullProgress):
    """Calls a function once: when the progress advances for the given time."""

    def __init__(self, step, action):
        self.left, self.action = step, action

    def advance(self, rows, note=""):
        self.left -= 1
        if self.left == 0:
            self.action()
