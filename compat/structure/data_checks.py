"""Check the rows for conflicts with repairs: briefly for a report, thoroughly for a plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError

from compat.database.errors import Failure
from compat.database.text import first_line
from compat.structure.findings import Repair
from compat.structure.steps import Blocker, Conflict, DataCheck, Key, Reason

BRIEF_SECONDS = 2.0
"""How long a report may read rows, all findings together."""
MAX_SAMPLES = 3


@dataclass
class DataChecks:
    """The data checks of one plan; `known` are results from before, None where nothing conflicts."""

    thorough: bool
    known: Mapping[Key, Blocker | None] = field(default_factory=dict)
    results: dict[Key, Blocker | None] = field(default_factory=dict)
    unchecked: set[Key] = field(default_factory=set)
    deadline: float = field(default_factory=lambda: time.monotonic() + BRIEF_SECONDS)

    def blocker(self, repair: Repair, *, will_run: bool) -> Blocker | None:
        """Return which rows conflict with the repair; a finding that was not checked is added to `unchecked`.

        Only repairs that will run are checked thoroughly, which raises DatabaseError when another session's lock
        prevents it.
        """
        key = repair.finding.key
        if key in self.known:
            return self.known[key]
        if repair.finding.kind.is_missing_table:
            return None
        seconds = None if self.thorough and will_run else self.deadline - time.monotonic()
        is_large = repair.dialect.introspection.is_large(repair.sides.actual)
        if seconds is not None and (seconds <= 0 or is_large):
            if any(repair.finding.kind.data_checks(repair)):
                self.unchecked.add(key)
            return None
        self.results[key] = self._checked(repair, seconds)
        return self.results[key]

    def _checked(self, repair: Repair, seconds: float | None) -> Blocker | None:
        try:
            for check in repair.finding.kind.data_checks(repair):
                with repair.dialect.session.reading(seconds):
                    if conflict := _conflict(repair, check):
                        return conflict
        except DatabaseError as error:
            return self._failed(repair, error, is_brief=seconds is not None)
        return None

    def _failed(self, repair: Repair, error: DatabaseError, *, is_brief: bool) -> Blocker | None:
        failure = repair.dialect.database.failure(error)
        if failure is Failure.LOCK_TIMEOUT and not is_brief:
            raise error
        is_unanswered = failure.is_timeout and is_brief
        if repair.finding.kind.replaces_column and not is_unanswered:
            return Blocker(Reason.CANNOT_CONVERT, {"error": first_line(error)})
        if is_brief:
            self.unchecked.add(repair.finding.key)
        return None


def _conflict(repair: Repair, check: DataCheck) -> Blocker | None:
    """Return how many rows conflict, a sample, and the query for all of them."""
    rows = repair.dialect.introspection.rows
    count = rows(f"SELECT count(*) FROM ({check.query}) AS q")[0][0]  # noqa: S608  our own query
    if not count:
        return None
    sample = rows(f"{check.query} LIMIT {MAX_SAMPLES}")
    shown = ", ".join(str(row[0] if len(row) == 1 else row) for row in sample)
    facts = {"conflict": Conflict(check, count), "sample": shown, "query": check.query}
    return Blocker(Reason.DATA_CONFLICT, facts)


def refusal(error: DatabaseError) -> Blocker:
    """Return the blocker for statements that the database refused, with the detail that names the rows."""
    details = (line.removeprefix("DETAIL:") for line in str(error).splitlines() if line.startswith("DETAIL:"))
    detail = "".join(details).replace("  ", " ")
    return Blocker(Reason.DATABASE_ERROR, {"error": first_line(error), "detail": detail})
