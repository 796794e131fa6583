"""Sharing the parts of a run among workers, each with its own connections."""

import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from compat.copying.job import Job

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def share(job: Job, parts: Iterable[Part], worker_factory: Callable[[], Callable[[Part], Answer]]) -> list[Answer]:
    """Return what the job's workers answer for the parts, in the order of the parts.

    `worker_factory` returns a worker. Once a stop is requested no further part is begun. A worker that fails stops the
    others, and its error is raised.
    """
    waiting: queue.SimpleQueue[tuple[int, Part]] = queue.SimpleQueue()
    for item in enumerate(parts):
        waiting.put(item)
    answers: dict[int, Answer] = {}

    def work() -> None:
        worker = worker_factory()
        while not job.stop.requested():
            try:
                number, part = waiting.get_nowait()
            except queue.Empty:
                return
            answers[number] = worker(part)

    if job.workers == 1:
        work()
    else:
        with ThreadPoolExecutor(job.workers, thread_name_prefix="compat-worker") as pool:
            futures = [pool.submit(_in_a_thread, job, work) for number in range(job.workers)]
        for future in futures:
            future.result()
    return [answers[number] for number in sorted(answers)]


def _in_a_thread(job: Job, work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:
        job.stop.request(format_lazy(_("a worker failed: {error}"), error=error))
        raise
    finally:
        for using in {job.using, job.source}:
            connections[using].close()
