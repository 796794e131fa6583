"""The services of CSMS on top of the two engines. Commands, the start-up hook and the pages call them."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.db import DatabaseError, Error, connections
from django.db.models import Model
from django.utils.connection import ConnectionDoesNotExist
from django.utils.translation import gettext as _

from compat.copies import PERFORMANCE
from compat.copying import Limits, Result, copy_rows
from compat.copying.models import CopyRun
from compat.copying.results import BLOCKED
from compat.copying.runner.deferred_indexes import NEVER
from compat.copying.runs import requests
from compat.copying.states import State
from compat.database.errors import RepairBusy, StopRequested, UnsupportedDatabase
from compat.database.stop import Stop
from compat.database.text import one_line
from compat.structure.errors import StructureError
from compat.structure.execution import repair
from compat.structure.findings import Severity
from compat.structure.report import Report
from compat.structure.verification import verify

logger = logging.getLogger(__name__)

STATUSES = {0: "ok", 1: "needs_attention", 2: "blocked", 3: "stopped"}
PRECEDENCE = (0, 1, 3, 2)
"""Exit codes by precedence; the last one outweighs all others."""
STRUCTURE_ERRORS = (StructureError, RepairBusy, StopRequested, UnsupportedDatabase, DatabaseError, Error)
"""What a verification or a repair raises when it is not possible."""


@dataclass(frozen=True)
class Fixes:
    """The outcome of `run_compatibility_fixes`: the structure after the repairs, and the copy if there was one."""

    structure: Report
    copy: Result | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 needs attention, 2 could not verify or copy, 3 stopped early."""
        verified = 2 if self.structure.status == "unverifiable" else int(self.structure.reaches(Severity.ERROR))
        return max(verified, self.copy.exit_code if self.copy else 0, key=PRECEDENCE.index)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the command."""
        return {
            "status": STATUSES[self.exit_code],
            "database": self.structure.database,
            "structure": self.structure.as_dict(),
            "copy": self.copy.as_dict() if self.copy else None,
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


def verify_database_structure(using: str = "default") -> Report:
    """Compare the database with the models of all installed apps, without changes. Raises Unverifiable."""
    return verify(using)


def migrate_performance_data(using: str = "default", source: str | None = None, **options: Any) -> Result:
    """Copy performance_data into performance_records and verify it; resume an interrupted run.

    `source` is the alias of the source database, by default the target. `options` are fields of
    `compat.copying.job.Job`, such as `batch_size`, `workers` and `stop`.
    """
    return copy_rows(PERFORMANCE, using, source, **options)


def run_compatibility_fixes(using: str = "default", source: str | None = None, *, stop: Stop | None = None) -> Fixes:
    """Verify the database, apply the safe repairs, and copy the legacy readings if there are any.

    Safe repairs only add, lose no data and rewrite no table. `stop` ends a copy at a batch border. Errors of the
    database are in the result, not raised.
    """
    stop = stop or Stop()
    return copy_readings(fix_structure(using, stop), source, stop)


def fix_structure(using: str, stop: Stop, *, repairs: bool = True) -> Fixes:
    """Verify and repair, the first part of `run_compatibility_fixes`; without `repairs`, only verify."""
    began = time.monotonic()
    vendor = connections[using].vendor if using in connections else ""
    structure, error = Report("unverifiable", using, vendor), None
    try:
        structure = verify(using)
        if repairs:
            structure = repair(using, stop=stop)
    except STRUCTURE_ERRORS as problem:
        error = one_line(problem)
    return Fixes(structure, seconds=time.monotonic() - began, error=error)


def copy_readings(fixes: Fixes, source: str | None, stop: Stop, *, held: Collection[State] = (State.PAUSED,)) -> Fixes:
    """Copy, the second part of `run_compatibility_fixes`, unless the first part could not verify the database.

    Indexes stay in place because the application may use the tables during the copy. If the newest run is in one
    of the states `held`, nothing is copied and the log says how to continue.
    """
    using = fixes.structure.database
    if fixes.structure.status == "unverifiable" or stop.requested():
        return fixes
    if fixes.structure.history:
        logger.warning(_("Nothing is copied because the database %(alias)s is ahead of this code."), {"alias": using})
        return fixes
    began = time.monotonic()
    try:
        if not has_legacy_readings(source or using) or _is_held(using, held):
            return fixes
    except (ConnectionDoesNotExist, DatabaseError, Error) as error:
        return replace(fixes, copy=Result(BLOCKED, error=one_line(error)), error=fixes.error or one_line(error))
    result = migrate_performance_data(using, source, stop=stop, **online_options(using))
    seconds = fixes.seconds + time.monotonic() - began
    return replace(fixes, copy=result, seconds=seconds, error=fixes.error or result.error)


def online_options(using: str) -> dict[str, Any]:
    """Return the options of a copy while the application serves: indexes stay, and other writers get turns.

    A database with one writer at a time gets a pause after each batch that is longer than 0.1 s, the interval at
    which waiting writers retry.
    """
    one_writer = not connections[using].features.has_select_for_update
    return {"defer_indexes": NEVER, "limits": Limits(pause=0.2 if one_writer else 0.0)}


def _is_held(using: str, states: Collection[State]) -> bool:
    if not has_table(using, CopyRun) or (run := requests.held_back(PERFORMANCE, using, states)) is None:
        return False
    if run.state == State.PAUSED:
        text = _("Run %(run)d is %(state)s%(reason)s. To resume it: python manage.py migrate_performance%(option)s")
    else:
        text = _("Run %(run)d is %(state)s%(reason)s. To copy again: python manage.py migrate_performance%(option)s")
    reason = f": {str(run.error_text).rstrip('.。')}" if run.error_text else ""
    option = "" if using == "default" else f" --database {using}"
    facts = {"run": run.pk, "state": run.get_state_display(), "reason": reason, "option": option}
    logger.warning(text, facts)
    return True


def has_legacy_readings(using: str) -> bool:
    """Return whether the database has the table performance_data."""
    return has_table(using, PERFORMANCE.source)


def has_table(using: str, model: type[Model]) -> bool:
    """Return whether the database has the table of a model."""
    return model._meta.db_table in connections[using].introspection.table_names(include_views=True)
