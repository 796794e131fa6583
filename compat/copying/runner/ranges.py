"""Copy the ranges of a run, with one worker or several, until all are done or a stop is requested."""

import logging
import threading
import time

from django.db.models import F
from django.utils.translation import gettext as _

from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import Written, copy_batch
from compat.copying.rows.staging import ROWS
from compat.copying.runner.batch_size import LARGEST, BatchSize
from compat.copying.runner.throttle import PRESSURE_POLL_SECONDS, Throttle
from compat.copying.runner.workers import share

logger = logging.getLogger(__name__)


def copy_ranges(job: Job, run: CopyRun) -> None:
    """Copy every range of `run` that is not done."""
    todo = CopyRange.objects.using(job.using).filter(run=run, next_key__lte=F("last_key")).order_by("first_key")
    parts = job.retrying(lambda: list(todo.all()), f"run {run.pk}, looking for what is left")
    share(job, parts, lambda: _Worker(job, run))


class _Worker:
    """Copies ranges batch by batch, at a size and a pace of its own."""

    def __init__(self, job: Job, run: CopyRun) -> None:
        self.job, self.run = job, run
        self.statements = job.statements(run)
        self.size = BatchSize(job.batch_size, largest=ROWS if job.is_cross_database else LARGEST)
        self.throttle = Throttle(job.using, job.limits, job.stop)

    def __call__(self, part: CopyRange) -> None:
        while part.next_key <= part.last_key and not self.job.stop.requested():
            if reason := self.job.retrying(self.throttle.pressure, f"run {self.run.pk}, looking at the server"):
                self._hold(reason)
            else:
                self.throttle.rest(self._batch(part))

    def _hold(self, reason: str) -> None:
        logger.debug("run %d: %s", self.run.pk, reason)
        self.job.progress.advance(0, reason)
        self.job.stop.wait(PRESSURE_POLL_SECONDS)

    def _batch(self, part: CopyRange) -> float:
        """Copy one batch; return the seconds of the try that succeeded."""
        began = time.perf_counter()

        def attempt() -> Written:
            nonlocal began
            began = time.perf_counter()
            return copy_batch(self.run, part, self.statements, self.size.rows)

        what = f"run {self.run.pk}, batch from key {part.next_key}"
        written = self.job.retrying(attempt, what, self.size.timed_out)
        seconds = time.perf_counter() - began
        rows = written.copied + len(written.rejected)
        logger.debug(
            "run %d: %d rows copied, %d rejected in %.3f s, up to key %d (%s)",
            self.run.pk, written.copied, len(written.rejected), seconds, part.next_key - 1,
            threading.current_thread().name,
        )  # fmt: skip
        self.size.measured(rows, seconds)
        self.job.progress.advance(rows, _("%(rows)d rows a batch") % {"rows": self.size.rows})
        return seconds
