"""The proof: every column of every row of a run, source against target."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.models import CopyRun
from compat.copying.rows.selection import KeyRange
from compat.copying.rows.statements import Statements
from compat.database.sql import Sql, fetch

MAX_SAMPLES = 5
KINDS = {"missing": gettext_lazy("missing"), "extra": gettext_lazy("extra"), "changed": gettext_lazy("changed")}


@dataclass
class Differences:
    """Rows that differ: counts, and some keys of each kind (source keys; for `extra` target keys)."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    samples: dict[str, list[int]] = field(default_factory=dict)

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

    def __str__(self) -> str:
        kinds = [
            _("%(count)d %(kind)s (%(keys)s)") % {"count": count, "kind": KINDS[kind], "keys": self._sampled(kind)}
            for kind, count in self.counts().items()
            if count
        ]
        return ", ".join(kinds) or _("none")

    def _sampled(self, kind: str) -> str:
        keys = self.samples.get(kind, [])
        more = ", …" if getattr(self, kind) > len(keys) else ""
        text = _("target keys %(keys)s") if kind == "extra" else _("source keys %(keys)s")
        return text % {"keys": ", ".join(map(str, keys)) + more}


def compare(run: CopyRun, statements: Statements, keys: KeyRange) -> Differences:
    """Compare the source rows with these keys with what the run made of them.

    Of a copy that keeps keys only missing rows count as differences: the target has rows of its own.
    """
    projected = statements.projected(keys.condition)
    [(missing, extra, changed)] = fetch(statements.using, statements.compare(projected, keys.first, keys.last))
    found = Differences()
    if missing:
        found += _listed(statements, "missing", statements.missing_keys(projected, run.pk))
    if changed:
        found += _listed(statements, "changed", statements.changed_keys(projected))
    if extra and not statements.copy.keep_keys:
        found += _listed(statements, "extra", statements.extra_keys(projected, keys.first, keys.last))
    return found


def _listed(statements: Statements, kind: str, query: Sql) -> Differences:
    keys = [key for (key,) in fetch(statements.using, query)]
    return Differences(**{kind: len(keys)}, samples={kind: keys[:MAX_SAMPLES]} if keys else {})
