"""The functions for other projects. `compat.copying` exports them.

All of them take a declared copy, the alias of the target database, the alias of the source database (the target
when it is None), and as `options` the other fields of `compat.copying.job.Job`. None raises for errors that a user
can cause: a result with the status `blocked` or `failed` has the reason in `error`.
"""

from typing import Any

from compat.copying import operations
from compat.copying.declaration import Copy
from compat.copying.job import Job
from compat.copying.results import Result


def copy_rows(copy: Copy, using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Copy the rows that were not copied yet, and verify them; resumes an interrupted run.

    Options: `batch_size` in rows (None: adapts), `workers`, `defer_indexes` ("auto", "always" or "never"), `limits`
    (a `Limits`), `stop` and `progress`.
    """
    return operations.copy_rows(_job(copy, using, source, options))


def verify_copy(copy: Copy, using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Compare the source with the rows of all kept runs; the target is not changed."""
    return operations.verify(_job(copy, using, source, options))


def roll_back(copy: Copy, using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Delete the copied rows of all runs that did not change since; rows that others refer to are kept."""
    return operations.roll_back(_job(copy, using, source, options))


def retry_rejected(copy: Copy, using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Retry the rejected rows, or those whose ids are in the option `rejects`, and verify again."""
    return operations.retry_rejected(_job(copy, using, source, options))


def dry_run(copy: Copy, using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Return how many rows would be copied and rejected and how long that would take, without changing anything."""
    return operations.dry_run(_job(copy, using, source, options))


def _job(copy: Copy, using: str, source: str | None, options: dict[str, Any]) -> Job:
    return Job(copy, using=using, source=source or using, **options)
