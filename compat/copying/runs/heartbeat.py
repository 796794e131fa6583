"""The heartbeat of a run: a thread that renews the lease, looks for requests and samples the progress."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connections
from django.db.models import F, Sum
from django.db.models.functions import Now

from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.runs import lease
from compat.copying.runs.samples import Sample, with_sample
from compat.copying.states import State
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Seconds between two looks for requests, which only read."""
RENEW_SECONDS = 4.0
"""Seconds between two renewals of the lease."""


@contextmanager
def heartbeat(run: CopyRun, using: str, stop: Stop) -> Iterator[None]:
    """Keep the lease of `run` during the block; request a stop when it is lost or when a person asks for it."""
    beating = Heartbeat(run, using, stop)
    thread = threading.Thread(target=beating.loop, name="compat-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        beating.done.set()
        thread.join()


class Heartbeat:
    """The heartbeat of a run whose lease this process holds."""

    def __init__(self, run: CopyRun, using: str, stop: Stop) -> None:
        """Start to count seconds of work, on top of those of former holders."""
        self.run, self.using, self.stop = run, using, stop
        self.done = threading.Event()
        self._held_run = CopyRun.objects.using(using).filter(pk=run.pk, token=run.token)
        self._began = time.monotonic() - run.seconds
        self._renewed = time.monotonic()

    def loop(self) -> None:
        """Look and renew until `done` is set or the lease is lost."""
        try:
            while not self.done.wait(POLL_SECONDS) and self._beat():
                pass
        finally:
            connections[self.using].close()

    def _beat(self) -> bool:
        """Return False when the lease is lost. A database that does not answer is asked again at the next beat."""
        try:
            if not self._look():
                return False
            if time.monotonic() - self._renewed >= RENEW_SECONDS:
                self._renew()
        except Error:
            logger.debug("run %d: the lease could not be renewed", self.run.pk, exc_info=True)
            connections[self.using].close()
        return True

    def _look(self) -> bool:
        sums = {
            "rows": Sum(F("ranges__copied") + F("ranges__rejected"), default=0),
            "batches": Sum("ranges__batches", default=0),
        }
        counts = self._held_run.values("pk", "request", "requested_by").annotate(**sums)
        found = counts.first()
        if found is None:
            self.stop.request(Message("lease_lost"))
            return False
        if found["request"]:
            self.stop.request(lease.request_message(found["request"], found["requested_by"]))
        if self.run.state == State.RUNNING:
            self.run.samples = with_sample(self.run.samples, Sample(self._worked(), found["rows"], found["batches"]))
        return True

    def _renew(self) -> None:
        values = {"lease_expires_at": Now() + lease.DURATION, "seconds": self._worked(), "samples": self.run.samples}
        self._held_run.exclude(owner="").update(**values)
        self._renewed = time.monotonic()

    def _worked(self) -> float:
        return time.monotonic() - self._began
