"""What an owner does beside its work: renew the lease, look for requests, and note how far the run is."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connections
from django.db.models import F, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compat.copying.models import CopyRun
from compat.copying.runs import lease
from compat.copying.runs.samples import Sample, added
from compat.copying.states import State
from compat.database.stop import Stop

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Seconds between two looks at the run, which only read."""
RENEW_SECONDS = 4.0
"""Seconds between two renewals of the lease."""


@contextmanager
def heartbeat(run: CopyRun, using: str, stop: Stop) -> Iterator[None]:
    """Keep the lease from a thread of its own while the block runs; ask for a stop when it is lost or somebody asks."""
    heart = Heart(run, using, stop)
    thread = threading.Thread(target=heart.beat, name="compat-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        heart.done.set()
        thread.join()


class Heart:
    """The heartbeat of a run that this process owns."""

    def __init__(self, run: CopyRun, using: str, stop: Stop) -> None:
        """Begin to count the seconds of work, on top of those of former owners."""
        self.run, self.using, self.stop = run, using, stop
        self.done = threading.Event()
        self._mine = CopyRun.objects.using(using).filter(pk=run.pk, token=run.token)
        self._began = time.monotonic() - run.seconds
        self._renewed = time.monotonic()

    def beat(self) -> None:
        """Look and renew until `done`, or until the lease is lost."""
        try:
            while not self.done.wait(POLL_SECONDS) and self._once():
                pass
        finally:
            connections[self.using].close()

    def _once(self) -> bool:
        """Tell whether the lease is still ours, as far as the database answers."""
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
        rows = Sum(F("ranges__copied") + F("ranges__rejected"), default=0)
        counts = self._mine.values("pk", "request", "requested_by").annotate(rows=rows, batches=Sum("ranges__batches"))
        found = counts.first()
        if found is None:
            self.stop.request(_("another process took the run over"))
            return False
        if found["request"]:
            self.stop.request(lease.asked(found["request"], found["requested_by"]))
        if self.run.state == State.RUNNING:
            self.run.samples = added(self.run.samples, Sample(self._worked(), found["rows"], found["batches"]))
        return True

    def _renew(self) -> None:
        expiry = Now() + lease.DURATION
        self._mine.exclude(owner="").update(lease_expires_at=expiry, seconds=self._worked(), samples=self.run.samples)
        self._renewed = time.monotonic()

    def _worked(self) -> float:
        return time.monotonic() - self._began
