"""The comparison of rows: every column, source against target."""

from dataclasses import dataclass, field

from compat.copying.key_types import Key, KeyRange
from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.rows.rejects import open_rejects
from compat.copying.rows.selection import bisected, staged
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, fetch

MAX_SAMPLES = 5
"""Keys of each kind that are kept and shown."""


@dataclass
class Differences:
    """Rows that differ: counts, and some keys of each kind (source keys; for `extra` target keys)."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    samples: dict[str, list[Key]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed)

    def __iadd__(self, other: "Differences") -> "Differences":
        self.missing += other.missing
        self.extra += other.extra
        self.changed += other.changed
        for kind, keys in other.samples.items():
            self.samples[kind] = (self.samples.get(kind, []) + keys)[:MAX_SAMPLES]
        return self

    def counts(self) -> dict[str, int]:
        """Return the counts alone."""
        return {"missing": self.missing, "extra": self.extra, "changed": self.changed}

    def message(self) -> Message:
        """Say how many rows of which kind differ, with sample keys."""
        kinds = [self._of_kind(kind, rows) for kind, rows in self.counts().items() if rows]
        return Message("list", items=kinds) if kinds else Message("none")

    def _of_kind(self, kind: str, rows: int) -> Message:
        keys = [str(key) for key in self.samples.get(kind, [])]
        return Message(f"{kind}_rows", rows=rows, keys=", ".join([*keys, "…"] if rows > len(keys) else keys))


def compare_keys(run: CopyRun, statements: Statements, keys: KeyRange) -> Differences:
    """Compare the rows with these keys; a row that the database cannot compute is missing unless it was rejected."""

    def comparing(part: KeyRange) -> Differences:
        with staged(statements), statements.dialect.session.comparing():
            return _compare(run, statements, part)

    def alone(key: Key) -> Differences:
        rejected = open_rejects(run, statements, [key]).exists()
        return Differences() if rejected else Differences(missing=1, samples={"missing": [key]})

    found = Differences()
    for part in bisected(statements, keys, comparing, alone):
        found += part
    return found


def _compare(run: CopyRun, statements: Statements, keys: KeyRange) -> Differences:
    """Compare the source rows with these keys with what the run made of them.

    Extra rows count only where the keys of a run belong to it: elsewhere the target has rows of its own.
    """
    projected = statements.projected(keys)
    [(missing, extra, changed)] = fetch(statements.using, statements.compare(projected, keys))
    found = Differences()
    if missing:
        found += _listed(statements, "missing", statements.missing_keys(projected, run.pk))
    if changed:
        found += _listed(statements, "changed", statements.changed_keys(projected))
    if extra and statements.keys.owns_range:
        found += _listed(statements, "extra", statements.extra_keys(projected, keys))
    return found


def _listed(statements: Statements, kind: str, query: Sql) -> Differences:
    keys = statements.fetch_keys(statements.using, query)
    return Differences(**{kind: len(keys)}, samples={kind: keys[:MAX_SAMPLES]} if keys else {})
