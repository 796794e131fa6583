"""Why a row was rejected: messages about its columns, or the refusal of a database."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from compat.database.messages import Message, register_texts
from compat.database.text import first_line, one_line

register_texts(
    {
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
)


class Reason(Message):
    """One thing that is wrong with a row."""

    @classmethod
    def of_column(cls, code: str, column: str, **facts: str | int) -> "Reason":
        """Return what is wrong with the value of a target column."""
        return cls(code, column=column, **facts)

    @classmethod
    def of_error(cls, error: BaseException) -> "Reason":
        """Return the refusal of a database; `summary` is its text without what it quotes of the row."""
        return cls("refused", error=one_line(error), summary=first_line(error).partition(': "')[0])

    @property
    def subject(self) -> str:
        """What tells apart the faults with this code: the column, or the refusal of the database."""
        return str(self.facts.get("column") or self.facts.get("summary", ""))

    def summary(self) -> str:
        """Return the text that all rows with the same fault have in common."""
        return str(self.facts.get("summary", self))


def in_english(reasons: Iterable[Reason]) -> str:
    """Return reasons as one English text, whatever the active language is."""
    return "; ".join(reason.in_english() for reason in reasons)
