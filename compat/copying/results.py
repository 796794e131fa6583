"""The results of operations."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

COMPLETED = "completed"
NOTHING_TO_DO = "nothing_to_do"
STOPPED = "stopped"
FAILED = "failed"
ROLLED_BACK = "rolled_back"
DRY_RUN = "dry_run"
VERIFIED = "verified"
DIFFERENT = "different"
BLOCKED = "blocked"

DIFFERENCE_LABELS = {"missing": _("missing"), "extra": _("extra"), "changed": _("changed")}
"""The kinds of differences as a person reads them."""

EXIT_CODES = {FAILED: 1, DIFFERENT: 1, BLOCKED: 2, STOPPED: 3}


@dataclass
class Result:
    """The outcome of a copy, a verification, a rollback, a retry or a dry run."""

    status: str
    run: int | None = None
    source_rows: int = 0
    copied: int = 0
    rejected: int = 0
    batches: int = 0
    seconds: float = 0.0
    verified: bool | None = None
    differences: dict[str, int] = field(default_factory=lambda: {"missing": 0, "extra": 0, "changed": 0})
    error: str | None = None
    local_times: dict[str, int] = field(default_factory=lambda: {"skipped": 0, "ambiguous": 0})
    """Rows whose local time does not exist in its zone ("skipped") or is ambiguous."""

    @property
    def rows_per_second(self) -> float:
        """Copied rows per second of the run's time."""
        return self.copied / self.seconds if self.seconds else 0.0

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, different or rows rejected, 2 could not start, 3 stopped early."""
        if self.status == COMPLETED and (self.rejected or self.error):
            return 1
        return EXIT_CODES.get(self.status, 0)

    def plus(self, other: "Result") -> "Result":
        """Return this result with the counts of `other` added."""
        return replace(
            self, source_rows=self.source_rows + other.source_rows, copied=self.copied + other.copied,
            rejected=self.rejected + other.rejected, batches=self.batches + other.batches,
            seconds=self.seconds + other.seconds, error=" ".join(filter(None, [self.error, other.error])) or None,
            differences={kind: count + other.differences[kind] for kind, count in self.differences.items()},
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the commands."""
        return {
            "status": self.status,
            "run": self.run,
            "source_rows": self.source_rows,
            "copied": self.copied,
            "rejected": self.rejected,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.rows_per_second, 1),
            "verified": self.verified,
            "differences": self.differences,
            "error": self.error,
            "local_times": self.local_times,
        }
