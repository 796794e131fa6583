"""What the operations on a copy share: the copy, its databases, how to stop it, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from compat.copying.declaration import Copy
from compat.copying.models import CopyRun
from compat.copying.rows.statements import Statements
from compat.copying.runner.throttle import Limits
from compat.database.retry import retry
from compat.database.stop import Stop

Answer = TypeVar("Answer")


class Progress(Protocol):
    """Somebody who is told how far a run is."""

    def begin(self, what: str, rows: int | None) -> None:
        """Start to show `what`, of `rows` rows if known."""

    def advance(self, rows: int, note: str = "") -> None:
        """Show that `rows` more rows are done."""

    def end(self) -> None:
        """Stop showing."""


class NullProgress:
    """A progress that nobody sees."""

    def begin(self, what: str, rows: int | None) -> None:
        """Show nothing."""

    def advance(self, rows: int, note: str = "") -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Job:
    """A copy between two databases, and how to go about it."""

    copy: Copy
    using: str = "default"
    source: str = "default"
    batch_size: int | None = None
    workers: int = 1
    defer_indexes: str = "auto"
    rejects: frozenset[int] = frozenset()
    """Ids of the rejected rows to try again; none: all of them."""
    limits: Limits = field(default_factory=Limits)
    stop: Stop = field(default_factory=Stop)
    progress: Progress = field(default_factory=NullProgress)

    def retrying(
        self, operation: Callable[[], Answer], what: str, on_timeout: Callable[[], None] = lambda: None
    ) -> Answer:
        """Return what `operation` returns; try again after errors that pass, on whichever of the databases."""
        return retry(operation, using={self.using, self.source}, what=what, stop=self.stop, on_timeout=on_timeout)

    def statements(self, run: CopyRun) -> Statements:
        """Return the statements of a run of this copy."""
        unguarded = any(structure["after"] for structure in run.deferred_indexes)
        return Statements(self.copy, self.using, self.source, run.offset, run.timestamp, unguarded=unguarded)

    @property
    def is_cross_database(self) -> bool:
        """Whether the rows come from another database."""
        return self.source != self.using
