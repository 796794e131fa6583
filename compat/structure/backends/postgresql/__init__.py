"""PostgreSQL."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction

from compat.structure.backends.base import Backend
from compat.structure.backends.postgresql import by_hand, catalog, column_repairs, repairs, scratch
from compat.structure.backends.postgresql.subject import Subject
from compat.structure.build import Creation, creations
from compat.structure.expected import Owner
from compat.structure.findings import Finding, Severity
from compat.structure.plan import Obstacle, Step
from compat.structure.snapshot import Column, Snapshot, Table

LOCK_TIMEOUT, QUERY_CANCELED = "55P03", "57014"
READING, REPAIRING = "2s", "5s"  # how long to wait for somebody else's lock
INTEGERS = ("smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "numeric", "double precision", "real")
SIZED = re.compile(r"^(character varying|character|numeric|bit varying)(?:\((\d+)(?:,(\d+))?\))?$")
LOCKED = """
SELECT DISTINCT c.oid::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid() AND c.relkind IN ('r', 'p')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1 LIMIT 3
"""


class PostgreSQL(Backend):
    """Expected tables are created in the session's temporary schema."""

    def expected(self, owners: Iterable[Owner]) -> Snapshot:
        return scratch.expected(self.connection, self.rows, owners)

    def actual(self, names: Iterable[str]) -> Snapshot:
        with transaction.atomic(self.connection.alias):
            self.rows("SELECT set_config('lock_timeout', %s, true)", READING)
            return catalog.read(self.rows, names)

    def judge_type(self, expected: str, actual: str) -> Severity | None:
        return Severity.WARNING if holds(actual, expected) else Severity.ERROR

    def creation(self, owner: Owner) -> Creation:
        return creations(self.connection, [owner])[owner.table]

    def steps(self, table: Table, actual: Table, findings: Iterable[Finding], values: object) -> Iterator[Step]:
        return repairs.steps(self, table, actual, findings, values)

    def by_hand(self, finding: Finding, expected: Table, actual: Table) -> str:
        return by_hand.by_hand(Subject(self, finding, expected, actual, None))

    def type_obstacle(self, table: Table, expected: Column, actual: Column) -> Obstacle | None:
        return column_repairs.type_obstacle(self, table, expected, actual)

    def users_of(self, table: Table, column: Column) -> Obstacle | None:
        return column_repairs.users_of(self, table, column)

    def clashes(self, expected: str, actual: str) -> bool:
        return _family(expected) != _family(actual)

    @contextmanager
    def repairing(self) -> Iterator[None]:
        with transaction.atomic(self.connection.alias):
            self.rows("SELECT set_config('lock_timeout', %s, true)", REPAIRING)
            yield

    def locked(self) -> tuple[str, ...]:
        try:
            return tuple(name for (name,) in self.rows(LOCKED))
        except DatabaseError:
            return ()

    def size(self, table: Table) -> int:
        return table.bytes

    @contextmanager
    def asking(self, seconds: float | None) -> Iterator[None]:
        with transaction.atomic(self.connection.alias):
            if seconds is not None:
                self.rows("SELECT set_config('lock_timeout', %s, true)", READING)
                self.rows("SELECT set_config('statement_timeout', %s, true)", f"{max(1, int(seconds * 1000))}ms")
            yield
            transaction.set_rollback(rollback=True, using=self.connection.alias)  # takes the settings back

    def is_interrupted(self, error: DatabaseError) -> bool:
        return _has_code(error, QUERY_CANCELED)

    def is_lock_timeout(self, error: DatabaseError) -> bool:
        return _has_code(error, LOCK_TIMEOUT)


def _has_code(error: DatabaseError, code: str) -> bool:
    cause = error.__cause__
    return code in (getattr(cause, "pgcode", None), getattr(cause, "sqlstate", None))


def _family(type_: str) -> str:
    word = re.sub(r"\(.*\)", "", type_)
    return "number" if word in NUMBERS else "character varying" if word == "text" else word


def holds(wider: str, narrower: str) -> bool:
    """Whether the type `wider` takes every value of `narrower` and gives it back unchanged."""
    if wider in INTEGERS and narrower in INTEGERS:
        return INTEGERS.index(wider) > INTEGERS.index(narrower)
    if wider == "text" and re.match(r"character varying(\(\d+\))?$", narrower):
        return True
    one, other = SIZED.match(wider), SIZED.match(narrower)
    if not one or not other or one[1] != other[1]:
        return False
    if one[2] is None:
        return True
    return other[2] is not None and int(one[2]) >= int(other[2]) and one[3] == other[3]
