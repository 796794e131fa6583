"""Run the parts of a job in parallel workers, each with connections of its own."""

import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

from compat.copying.job import Job
from compat.copying.messages import Message

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def run_parallel(
    job: Job, parts: Iterable[Part], worker_factory: Callable[[], Callable[[Part], Answer]]
) -> list[Answer]:
    """Return what the workers of the job answer for the parts, in the order of the parts.

    Each thread takes its worker from `worker_factory`. After a stop request no further part is started, and the
    answers are those of the parts before. A worker that fails stops the others, and its error is raised.
    """
    pending: queue.SimpleQueue[tuple[int, Part]] = queue.SimpleQueue()
    for item in enumerate(parts):
        pending.put(item)
    answers: dict[int, Answer] = {}

    def work() -> None:
        worker = worker_factory()
        while not job.stop.requested():
            try:
                number, part = pending.get_nowait()
            except queue.Empty:
                return
            answers[number] = worker(part)

    if job.workers == 1:
        work()
    else:
        with ThreadPoolExecutor(job.workers, thread_name_prefix="compat-worker") as pool:
            futures = [pool.submit(_in_thread, job, work) for _ in range(job.workers)]
        for future in futures:
            future.result()
    return [answers[number] for number in sorted(answers)]


def _in_thread(job: Job, work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:
        job.stop.request(Message("worker_failed", error=Message.of(error)))
        raise
    finally:
        for using in {job.using, job.source}:
            connections[using].close()
