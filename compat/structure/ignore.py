"""Findings that a project accepts, each with a reason.

    COMPAT_STRUCTURE_IGNORE = [
        {"code": "compat.W018", "table": "audit_*", "object": "*", "reason": "Bulk loads are faster without it."},
    ]

`code`, `table` and `object` are patterns as for file names; what is omitted matches everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from django.conf import settings
from django.utils.translation import gettext as _

from compat.structure.errors import Unverifiable
from compat.structure.findings import Finding

SETTING = "COMPAT_STRUCTURE_IGNORE"
KEYS = frozenset(("code", "table", "object", "reason"))


@dataclass(frozen=True)
class Entry:
    """One accepted kind of finding."""

    reason: str
    code: str = "*"
    table: str = "*"
    object: str = "*"

    def matches(self, finding: Finding) -> bool:
        """Whether the entry accepts the finding."""
        pairs = ((finding.code, self.code), (finding.table, self.table), (finding.object or "", self.object))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


def entries() -> tuple[Entry, ...]:
    """Return the entries of the setting. Raises Unverifiable when one is malformed."""
    return tuple(map(_entry, getattr(settings, SETTING, ())))


def _entry(given: Mapping[str, str]) -> Entry:
    entry = {"setting": SETTING, "entry": given}
    if unknown := set(given) - KEYS:
        names = {**entry, "unknown": ", ".join(sorted(unknown)), "known": ", ".join(sorted(KEYS))}
        raise Unverifiable(
            _("%(setting)s: %(entry)s has the unknown key %(unknown)s; known keys are %(known)s.") % names
        )
    if not given.get("reason", "").strip():
        raise Unverifiable(_("%(setting)s: %(entry)s gives no reason.") % entry)
    if len(given) == 1:
        text = _("%(setting)s: %(entry)s would accept everything. Name a code, a table or an object.")
        raise Unverifiable(text % entry)
    return Entry(**given)


def mark(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings; those that the setting accepts carry the reason."""
    accepted = entries()
    return tuple(
        replace(finding, ignored=next((entry.reason for entry in accepted if entry.matches(finding)), None))
        for finding in findings
    )
