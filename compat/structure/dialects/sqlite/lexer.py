"""Split SQLite's SQL into tokens, in a normal form: names and keywords compare without case and quotes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<string>[xX]?'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"""|(?P<word>[^\W\d][\w$]*)|(?P<other>\d[\d.]*[eE][-+]\d+|\d[\w.]*|\|\||<=|>=|<>|!=|==|<<|>>|->>?|.)""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A word of SQL. `text` is its normal form, `name` its spelling; `start` and `end` are positions in the SQL."""

    text: str
    start: int
    end: int
    quoted: bool = False
    name: str = ""

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords."""
        return not self.quoted and self.text in words


def tokens(sql: str) -> list[Token]:
    """Return the tokens of `sql` without spaces and comments."""
    found = []
    for match in TOKEN.finditer(sql):
        if match.lastgroup is None:
            continue
        text = match[0]
        if match.lastgroup == "quoted":
            text = text[1:-1].replace(text[-1] * 2, text[-1])
        normal = text if text[:1] == "'" and match.lastgroup == "string" else text.casefold()
        found.append(Token(normal, match.start(), match.end(), match.lastgroup == "quoted", text))
    return found


def words(part: Sequence[Token]) -> str:
    """Return the normal form of an expression, without parentheses around the whole."""
    part = list(part)
    while len(part) > 2 and part[0].text == "(" and closing(part, 0) == len(part) - 1:
        part = part[1:-1]
    return " ".join(_sorted_choices([token.text for token in part]))


def _sorted_choices(part: list[str]) -> list[str]:
    """Return the words with lists of literals after IN sorted: Django writes some of them from a set."""
    found = list(part)
    for position, word in enumerate(part):
        if part[position : position + 2] == ["in", "("] and ")" in part[position:]:
            start, end = position + 2, part.index(")", position)
            choices = part[start:end:2]
            if word == "in" and set(part[start + 1 : end : 2]) <= {","} and all(map(_is_literal, choices)):
                found[start:end:2] = sorted(choices)
    return found


def _is_literal(word: str) -> bool:
    return word[:1] in "'0123456789" or word[:2] == "x'"


def closing(part: Sequence[Token], start: int) -> int:
    """Return the index of the parenthesis that closes the one at `start`."""
    depth = 0
    for position in range(start, len(part)):
        if not part[position].quoted:
            depth += {"(": 1, ")": -1}.get(part[position].text, 0)
        if depth == 0:
            return position
    raise ValueError(_("unbalanced parentheses"))


def split(part: Sequence[Token]) -> list[list[Token]]:
    """Split at the commas that stand outside parentheses."""
    items: list[list[Token]] = [[]]
    depth = 0
    for token in part:
        if not token.quoted:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0 and not token.quoted:
            items.append([])
        else:
            items[-1].append(token)
    return items
