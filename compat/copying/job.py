"""A job: a copy between two databases with its options, its stop request and its progress display."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from compat.copying.declaration import Copy
from compat.copying.models import CopyRun
from compat.copying.rows.statements import Statements
from compat.copying.runner.throttle import Limits
from compat.database.errors import StopRequested
from compat.database.retry import retry
from compat.database.stop import Stop

Answer = TypeVar("Answer")


class Progress(Protocol):
    """A display of how far a phase is."""

    def begin(self, what: str, rows: int | None) -> None:
        """Start to show the phase `what` with its number of rows, if known."""

    def advance(self, rows: int, note: str = "") -> None:
        """Show that `rows` more rows are done."""

    def end(self) -> None:
        """Stop to show the phase."""


class NullProgress:
    """Progress that is not shown."""

    def begin(self, what: str, rows: int | None) -> None:
        """Do nothing."""

    def advance(self, rows: int, note: str = "") -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Job:
    """A copy from the database `source` to the database `using`, with its options."""

    copy: Copy
    using: str = "default"
    source: str = "default"
    batch_size: int | None = None
    workers: int = 1
    defer_indexes: str = "auto"
    rejects: frozenset[int] = frozenset()
    """Ids of the rejected rows to retry; empty: all of them."""
    run_id: int | None = None
    """The only run that the operation may resume, cancel or roll back; None: the next one."""
    limits: Limits = field(default_factory=Limits)
    stop: Stop = field(default_factory=Stop)
    progress: Progress = field(default_factory=NullProgress)

    def retrying(
        self, operation: Callable[[], Answer], what: str, on_timeout: Callable[[], None] = lambda: None
    ) -> Answer:
        """Return what `operation` returns; retry it after transient errors of either database."""
        return retry(operation, using={self.using, self.source}, what=what, stop=self.stop, on_timeout=on_timeout)

    def check_stop(self) -> None:
        """Raise StopRequested when a stop is requested."""
        if self.stop.requested():
            raise StopRequested(self.stop.reason)

    def statements(self, run: CopyRun) -> Statements:
        """Return the statements of a run of this copy."""
        keys = self.copy.keys(run.offset)
        deferred = any(structure["after"] for structure in run.deferred_indexes)
        return Statements(self.copy, self.using, self.source, keys, run.timestamp, has_deferred_keys=deferred)

    @property
    def is_cross_database(self) -> bool:
        """Whether the rows come from another database."""
        return self.source != self.using
