"""Copy the ranges of a run, with one worker or several, until all are done or a stop is requested."""

import logging
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from django.db.models import F

from compat.copying.batches import Written, copy_batch
from compat.copying.job import Job
from compat.copying.models import CopyRange, CopyRun
from compat.copying.sizing import LARGEST, BatchSize
from compat.copying.staging import ROWS
from compat.copying.statements import Statements
from compat.copying.throttling import LOOK_EVERY, Throttle

logger = logging.getLogger(__name__)


def copy_ranges(job: Job, run: CopyRun) -> None:
    """Copy every range of `run` that is not done."""
    todo = CopyRange.objects.using(job.using).filter(run=run, next_key__lte=F("last_key")).order_by("first_key")
    parts: queue.SimpleQueue[CopyRange] = queue.SimpleQueue()
    for part in job.retrying(lambda: list(todo.all()), f"run {run.pk}, looking for what is left"):
        parts.put(part)
    statements = job.statements(run)
    if job.workers == 1:
        _work(job, run, statements, parts)
        return
    with ThreadPoolExecutor(job.workers, thread_name_prefix="compat-worker") as pool:
        futures = [pool.submit(_work_and_close, job, run, statements, parts) for _ in range(job.workers)]
    for future in futures:
        future.result()


def _work_and_close(job: Job, run: CopyRun, statements: Statements, parts: "queue.SimpleQueue[CopyRange]") -> None:
    try:
        _work(job, run, statements, parts)
    except BaseException as error:
        job.stop.request(f"a worker failed: {error}")
        raise
    finally:
        for using in {job.using, job.source}:
            connections[using].close()


def _work(job: Job, run: CopyRun, statements: Statements, parts: "queue.SimpleQueue[CopyRange]") -> None:
    size = BatchSize(job.batch_size, largest=ROWS if job.crossing else LARGEST)
    throttle = Throttle(job.using, job.limits, job.stop)
    while not job.stop.requested():
        try:
            part = parts.get_nowait()
        except queue.Empty:
            return
        while part.next_key <= part.last_key and not job.stop.requested():
            if reason := job.retrying(throttle.pressure, f"run {run.pk}, looking at the server"):
                _hold(job, run, reason)
            else:
                throttle.rest(_batch(job, run, part, statements, size))


def _hold(job: Job, run: CopyRun, reason: str) -> None:
    logger.debug("run %d: %s", run.pk, reason)
    job.progress.advance(0, reason)
    job.stop.wait(LOOK_EVERY)


def _batch(job: Job, run: CopyRun, part: CopyRange, statements: Statements, size: BatchSize) -> float:
    """Copy one batch; return the seconds of the try that succeeded."""
    began = time.perf_counter()

    def attempt() -> Written:
        nonlocal began
        began = time.perf_counter()
        return copy_batch(run, part, statements, size.rows)

    written = job.retrying(attempt, f"run {run.pk}, batch from key {part.next_key}", size.timed_out)
    seconds = time.perf_counter() - began
    rows = written.copied + len(written.rejected)
    logger.debug(
        "run %d: %d rows copied, %d rejected in %.3f s, up to key %d (%s)",
        run.pk, written.copied, len(written.rejected), seconds, part.next_key - 1, threading.current_thread().name,
    )  # fmt: skip
    size.measured(rows, seconds)
    job.progress.advance(rows, f"{size.rows} rows a batch")
    return seconds
