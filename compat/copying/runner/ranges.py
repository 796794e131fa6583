"""Copy the ranges of a run, with one worker or several, until all are done or a stop is requested."""

import logging
import threading
import time

from django.utils.translation import gettext as _

from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.rows.batches import Written, copy_batch
from compat.copying.rows.staging import MAX_STAGED_ROWS
from compat.copying.runner.batch_size import MAX_ROWS, BatchSize
from compat.copying.runner.throttle import PRESSURE_POLL_SECONDS, Throttle
from compat.copying.runner.workers import run_parallel
from compat.copying.runs import store

logger = logging.getLogger(__name__)


def copy_ranges(job: Job, run: CopyRun) -> None:
    """Copy every range of `run` that is not done."""
    keys = job.copy.keys(run.offset)
    ranges = job.retrying(lambda: list(store.ranges_of(run, job.using)), f"run {run.pk}, looking for its ranges")
    run_parallel(job, [part for part in ranges if keys.remaining(part)], lambda: _Worker(job, run))


class _Worker:
    """Copies ranges batch by batch, with a batch size and a throttle of its own."""

    def __init__(self, job: Job, run: CopyRun) -> None:
        self.job, self.run = job, run
        self.statements = job.statements(run)
        self.size = BatchSize(job.batch_size, max_rows=MAX_STAGED_ROWS if job.is_cross_database else MAX_ROWS)
        self.throttle = Throttle(job.using, job.limits, job.stop)

    def __call__(self, part: CopyRange) -> None:
        while self.statements.keys.remaining(part) and not self.job.stop.requested():
            if reason := self.job.retrying(self.throttle.pressure, f"run {self.run.pk}, checking the server"):
                self._wait(reason)
            else:
                self.throttle.rest(self._copy_batch(part))

    def _wait(self, reason: str) -> None:
        logger.debug("run %d: %s", self.run.pk, reason)
        self.job.progress.advance(0, reason)
        self.job.stop.wait(PRESSURE_POLL_SECONDS)

    def _copy_batch(self, part: CopyRange) -> float:
        """Copy one batch; return the seconds of the attempt that succeeded."""
        began = time.perf_counter()

        def attempt() -> Written:
            nonlocal began
            began = time.perf_counter()
            return copy_batch(self.run, part, self.statements, self.size.rows)

        what = f"run {self.run.pk}, batch after key {part.done_key}"
        written = self.job.retrying(attempt, what, self.size.timed_out)
        seconds = time.perf_counter() - began
        rows = written.copied + len(written.rejected)
        logger.debug(
            "run %d: %d rows copied, %d rejected in %.3f s, up to key %s (%s)",
            self.run.pk, written.copied, len(written.rejected), seconds, part.done_key,
            threading.current_thread().name,
        )  # fmt: skip
        self.size.measured(rows, seconds)
        self.job.progress.advance(rows, _("%(rows)d rows per batch") % {"rows": self.size.rows})
        return seconds
