"""Why a row was rejected: a code with facts, stored as JSON and rendered in the language of the reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from compat.database.text import first_line, one_line

TEXTS = {
    "empty": _("%(column)s is empty, but a value is required"),
    "orphan": _("%(column)s refers to a row that is not in %(table)s"),
    "too_long": _("%(column)s is longer than %(length)d characters"),
    "too_precise": _("%(column)s has more than %(places)d decimals"),
    "not_an_integer": _("%(column)s is not an integer"),
    "not_a_number": _("%(column)s is not a number"),
    "not_a_boolean": _("%(column)s is neither true nor false"),
    "not_a_datetime": _("%(column)s is not a date and time"),
    "not_a_date": _("%(column)s is not a date"),
    "not_a_time": _("%(column)s is not a time"),
    "not_a_duration": _("%(column)s is not a fixed number of microseconds"),
    "not_a_uuid": _("%(column)s is not a UUID"),
    "not_binary": _("%(column)s is not binary"),
    "not_text": _("%(column)s is not text"),
    "not_unicode": _("%(column)s holds the NUL character or is no valid UTF-8"),
    "out_of_years": _("%(column)s is infinite or outside of the years 1 to 9999"),
    "nan": _("%(column)s is NaN, which the target would store as NULL"),
    "refused": "%(error)s",
}


@dataclass(frozen=True)
class Reason:
    """One thing that is wrong with a row; `str()` renders it in the active language."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_column(cls, code: str, column: str, **facts: Any) -> "Reason":
        """Return what is wrong with the value of a target column."""
        return cls(code, {"column": column, **facts})

    @classmethod
    def of_error(cls, error: BaseException) -> "Reason":
        """Return the refusal of a database; `summary` is its text without what it quotes of the row."""
        return cls("refused", {"error": one_line(error), "summary": first_line(error).partition(': "')[0]})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Reason":
        """Return the reason that `as_json` stored."""
        return cls(stored["code"], stored["facts"])

    def as_json(self) -> dict[str, Any]:
        """Return the reason as JSON can hold it."""
        return {"code": self.code, "facts": dict(self.facts)}

    @property
    def subject(self) -> str:
        """What tells apart the faults with this code: the column, or the refusal of the database."""
        return str(self.facts.get("column") or self.facts.get("summary", ""))

    def summary(self) -> str:
        """Return the text that all rows with the same fault have in common."""
        return str(self.facts.get("summary", self))

    def __str__(self) -> str:
        try:
            return str(TEXTS[self.code]) % self.facts
        except (KeyError, TypeError, ValueError):  # another release wrote it, with a code or facts of its own
            return f"{self.code} {dict(self.facts)}"


def in_english(reasons: Iterable[Reason]) -> str:
    """Return reasons as one English text, whatever the active language is."""
    with override(None):
        return "; ".join(map(str, reasons))
