"""Read CREATE TABLE and CREATE INDEX as SQLite keeps them: the text of the one who created them.

Names and keywords compare without case and quotes; strings and the order of words count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from compat.structure.findings import Kind

TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"""|(?P<word>[^\W\d][\w$]*)|(?P<other>\d[\w.]*|\|\||<=|>=|<>|!=|==|<<|>>|->>?|.)""",
    re.DOTALL,
)
CONSTRAINT_WORDS = frozenset(
    ("constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references", "generated", "as")
)
TABLE_WORDS = frozenset(["constraint", "primary", "unique", "check", "foreign"])


@dataclass(frozen=True)
class Token:
    """A word of SQL. `text` is its normal form, `name` what is written; `start` and `end` are its place."""

    text: str
    start: int
    end: int
    quoted: bool = False
    name: str = ""

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords."""
        return not self.quoted and self.text in words


@dataclass(frozen=True)
class Parsed:
    """One constraint: kind, name, columns, and the words that carry its meaning."""

    kind: Kind
    name: str
    columns: tuple[str, ...]
    traits: tuple[tuple[str, str], ...] = ()
    timing: str = ""
    source: str = ""
    home: str = ""


@dataclass
class ParsedColumn:
    """One column's definition."""

    name: str
    type: str
    source: str
    not_null: bool = False
    default: str | None = None
    collation: str | None = None
    generated: str | None = None
    autoincrement: bool = False
    rules: list[Parsed] = field(default_factory=list)


@dataclass(frozen=True)
class ParsedTable:
    """A table's definition; `suffix` is what follows the parentheses, such as STRICT."""

    columns: tuple[ParsedColumn, ...]
    rules: tuple[Parsed, ...]
    suffix: str


def tokens(sql: str) -> list[Token]:
    """Return the tokens of `sql` without spaces and comments."""
    found = []
    for match in TOKEN.finditer(sql):
        if match.lastgroup is None:
            continue
        text = match[0]
        if match.lastgroup == "quoted":
            text = text[1:-1].replace(text[-1] * 2, text[-1])
        normal = text if match.lastgroup == "string" else text.casefold()
        found.append(Token(normal, match.start(), match.end(), match.lastgroup == "quoted", text))
    return found


def words(part: Sequence[Token]) -> str:
    """Return the normal form of an expression, without parentheses around the whole."""
    part = list(part)
    while len(part) > 2 and part[0].text == "(" and _closing(part, 0) == len(part) - 1:
        part = part[1:-1]
    return " ".join(token.text for token in part)


def _closing(part: Sequence[Token], start: int) -> int:
    """Return the index of the parenthesis that closes the one at `start`."""
    depth = 0
    for position in range(start, len(part)):
        if not part[position].quoted:
            depth += {"(": 1, ")": -1}.get(part[position].text, 0)
        if depth == 0:
            return position
    raise ValueError("unbalanced parentheses")


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


@lru_cache(maxsize=4096)  # both sides mostly hold the same text
def parse_table(sql: str) -> ParsedTable:
    """Return the definition in a CREATE TABLE statement. Raises ValueError when it cannot be read."""
    all_tokens = tokens(sql)
    opening = next((i for i, token in enumerate(all_tokens) if token.text == "(" and not token.quoted), None)
    if opening is None:
        raise ValueError("no list of columns")
    closing = _closing(all_tokens, opening)
    columns, rules = [], []
    for item in split(all_tokens[opening + 1 : closing]):
        reader = Reader(sql, item)
        if item[0].is_word(*TABLE_WORDS):
            rules.append(reader.table_rule())
        else:
            columns.append(reader.column())
    return ParsedTable(tuple(columns), tuple(rules), sql[all_tokens[closing].end :].strip())


@lru_cache(maxsize=4096)
def parse_index(sql: str) -> tuple[tuple[str, ...], str]:
    """Return the keys and the condition in a CREATE INDEX statement. Raises ValueError."""
    all_tokens = tokens(sql)
    opening = next((i for i, token in enumerate(all_tokens) if token.text == "(" and not token.quoted), None)
    if opening is None:
        raise ValueError("no list of columns")
    closing = _closing(all_tokens, opening)
    keys = tuple(words(key).removesuffix(" asc") for key in split(all_tokens[opening + 1 : closing]))
    return keys, words(all_tokens[closing + 2 :])


class Reader:
    """Reads one item of a CREATE TABLE's list, left to right."""

    def __init__(self, sql: str, item: Sequence[Token]) -> None:
        self.sql, self.item, self.at = sql, item, 0

    @property
    def source(self) -> str:
        """The item as it was written."""
        return self.sql[self.item[0].start : self.item[-1].end]

    def take(self) -> Token:
        """Return the next token and go on."""
        if self.at >= len(self.item):
            raise ValueError(f"unexpected end of {self.source}")
        self.at += 1
        return self.item[self.at - 1]

    def accept(self, *expected: str) -> bool:
        """Go past these keywords if they come next."""
        coming = self.item[self.at : self.at + len(expected)]
        if len(coming) == len(expected) and all(t.is_word(w) for t, w in zip(coming, expected, strict=True)):
            self.at += len(expected)
            return True
        return False

    def group(self) -> list[Token]:
        """Return the tokens between the parentheses that come next."""
        if self.at >= len(self.item) or self.item[self.at].text != "(":
            raise ValueError(f"no parenthesis in {self.source}")
        start, self.at = self.at, _closing(self.item, self.at) + 1
        return list(self.item[start + 1 : self.at - 1])

    def column(self) -> ParsedColumn:
        """Read a column's definition."""
        name = self.take().name
        column = ParsedColumn(name, self.type(), self.source)
        while self.at < len(self.item):
            constraint = self.take().name if self.accept("constraint") else ""
            self._column_clause(column, constraint)
        return column

    def type(self) -> str:
        """Read a type, such as `varchar(20)`; SQLite allows none."""
        start = self.at
        while self.at < len(self.item) and not self.item[self.at].is_word(*CONSTRAINT_WORDS):
            if self.item[self.at].text == "(":
                self.group()
            else:
                self.at += 1
        return re.sub(r" ?([(),]) ?", r"\1", " ".join(token.text for token in self.item[start : self.at]))

    def _column_clause(self, column: ParsedColumn, name: str) -> None:
        if self.accept("not", "null"):
            column.not_null = True
            self.conflict()
        elif self.accept("null"):
            self.conflict()
        elif self.accept("default"):
            column.default = self.default()
        elif self.accept("collate"):
            column.collation = self.take().text
        elif self.accept("generated", "always", "as") or self.accept("as"):
            expression = words(self.group())
            stored = self.accept("stored")
            self.accept("virtual")
            column.generated = f"AS ({expression}) {'STORED' if stored else 'VIRTUAL'}"
        else:
            column.rules.append(self._column_rule(column, name))

    def _column_rule(self, column: ParsedColumn, name: str) -> Parsed:
        home = column.name.casefold()
        columns = (home,)
        if self.accept("primary", "key"):
            if not self.accept("asc"):
                self.accept("desc")
            self.conflict()
            column.autoincrement = self.accept("autoincrement")
            return Parsed(Kind.PRIMARY_KEY, name, columns, source=f'PRIMARY KEY ("{column.name}")', home=home)
        if self.accept("unique"):
            self.conflict()
            return Parsed(Kind.UNIQUE, name, columns, source=f'UNIQUE ("{column.name}")', home=home)
        start = self.item[self.at].start
        if self.accept("check"):
            expression = words(self.group())
            source = self.sql[start : self.item[self.at - 1].end]
            return Parsed(Kind.CHECK, name, (), (("", f"CHECK ({expression})"),), source=source, home=home)
        if self.accept("references"):
            traits, timing = self.references()
            source = f'FOREIGN KEY ("{column.name}") ' + self.sql[start : self.item[self.at - 1].end]
            return Parsed(Kind.FOREIGN_KEY, name, columns, traits, timing, source, home=home)
        raise ValueError(f"unknown clause in {self.source}")

    def table_rule(self) -> Parsed:
        """Read a constraint of the table."""
        name = self.take().name if self.accept("constraint") else ""
        if self.accept("primary", "key"):
            return Parsed(Kind.PRIMARY_KEY, name, self.names(), source=self.source)
        if self.accept("unique"):
            return Parsed(Kind.UNIQUE, name, self.names(), source=self.source)
        if self.accept("check"):
            expression = words(self.group())
            return Parsed(Kind.CHECK, name, (), (("", f"CHECK ({expression})"),), source=self.source)
        if self.accept("foreign", "key"):
            columns = self.names()
            if not self.accept("references"):
                raise ValueError(f"unknown clause in {self.source}")
            traits, timing = self.references()
            return Parsed(Kind.FOREIGN_KEY, name, columns, traits, timing, self.source)
        raise ValueError(f"unknown clause in {self.source}")

    def names(self) -> tuple[str, ...]:
        """Read a list of columns in parentheses."""
        return tuple(words(item).removesuffix(" asc") for item in split(self.group()))

    def references(self) -> tuple[tuple[tuple[str, str], ...], str]:
        """Read what follows REFERENCES: target and actions, and when it is checked."""
        table = self.take().text
        at_paren = self.at < len(self.item) and self.item[self.at].text == "("
        columns = self.names() if at_paren else ()
        traits = {"to": f"{table} ({', '.join(columns)})"}
        while self.accept("on"):
            event = f"on {self.take().text}"
            action = self.take().text
            action += f" {self.take().text}" if action in ("set", "no") else ""
            if action != "no action":
                traits[event] = action.upper()
        if self.accept("match"):
            traits["match"] = self.take().text
        timing = ""
        if self.accept("not", "deferrable"):
            self.accept("initially", "immediate")
        elif self.accept("deferrable"):
            timing = "DEFERRABLE"
            if self.accept("initially"):
                timing += " INITIALLY DEFERRED" if self.take().text == "deferred" else ""
        return tuple(sorted(traits.items())), timing

    def default(self) -> str:
        """Read a default: an expression in parentheses, a literal or a signed number."""
        if self.item[self.at].text == "(":
            return words(self.group())
        token = self.take()
        return token.text + self.take().text if token.text in "+-" else token.text

    def conflict(self) -> None:
        """Go past ON CONFLICT and its algorithm."""
        if self.accept("on", "conflict"):
            self.take()
