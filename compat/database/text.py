"""Text helpers for messages and tables on a terminal."""

from unicodedata import east_asian_width


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line, or its type where it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: BaseException) -> str:
    """Return the first line of a database error, which states what happened, or its type."""
    return next((line for line in str(error).strip().splitlines() if line), type(error).__name__)


def padded(value: object, width: int) -> str:
    """Pad a text with spaces to `width` terminal columns; a negative width aligns it to the right.

    A Chinese, Japanese or Korean character takes two columns.
    """
    text = str(value)
    space = " " * (abs(width) - len(text) - sum(east_asian_width(character) in "WF" for character in text))
    return space + text if width < 0 else text + space
