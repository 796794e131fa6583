"""Messages that are stored as a code with facts, and rendered in the language of the reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from compat.database.text import one_line

PLAIN_TEXT = "text"
"""The code of a message whose text is a fact: an error of a driver, or a text that the caller wrote."""

_texts: dict[str, str | Promise] = {
    PLAIN_TEXT: "%(text)s",
    "received_signal": _("received %(signal)s"),
    "time_limit": _("the time limit of --max-seconds was reached"),
    "server_stops": _("the server stops"),
}


def register_texts(texts: Mapping[str, str | Promise]) -> None:
    """Add the texts of message codes: `%` format strings whose keys are the names of the facts."""
    _texts.update(texts)


@dataclass(frozen=True)
class Message:
    """A message; `str()` renders it in the active language.

    A fact is a number, a text, another message, or a list of messages.
    """

    code: str
    facts: Mapping[str, Any]

    def __init__(self, code: str, /, **facts: Any) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "facts", facts)

    @classmethod
    def of(cls, cause: object) -> "Message":
        """Return a message as it is, the message of an exception, or a text as a message."""
        if isinstance(cause, BaseException):
            cause = cause.args[0] if cause.args and isinstance(cause.args[0], Message) else one_line(cause)
        return cause if isinstance(cause, Message) else cls(PLAIN_TEXT, text=str(cause))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Message":
        """Return the message that `as_json` stored."""
        return cls(stored["code"], **{name: _from_json(value) for name, value in (stored["facts"] or {}).items()})

    def as_json(self) -> dict[str, Any]:
        """Return the message as JSON can hold it."""
        return {"code": self.code, "facts": {name: _as_json(value) for name, value in self.facts.items()}}

    def in_english(self) -> str:
        """Render the message for the log, whatever the active language is."""
        with override(None):
            return str(self)

    def __str__(self) -> str:
        facts = {name: _rendered(value) for name, value in self.facts.items()}
        try:
            return str(_texts[self.code]) % facts
        except (KeyError, TypeError, ValueError):  # another release wrote it, with a code or facts of its own
            return f"{self.code} {facts}" if facts else self.code


def _rendered(value: Any) -> Any:
    if isinstance(value, Message):
        return str(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, Message):
        return value.as_json()
    return [_as_json(item) for item in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return Message.from_json(value)
    return [_from_json(item) for item in value] if isinstance(value, list) else value
