"""Read CREATE TABLE and CREATE INDEX as SQLite keeps them: the text of the one who created them.

Names and keywords compare without case and quotes; strings and the order of words count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.translation import gettext as _

from compat.structure.backends.sqlite.lexer import Token, closing, split, tokens, words
from compat.structure.findings import Kind

CONSTRAINT_WORDS = frozenset(
    ("constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references", "generated", "as")
)
LOSING = ("ignore", "replace")
TABLE_WORDS = frozenset(["constraint", "primary", "unique", "check", "foreign"])


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

    def primary_key(self) -> tuple[str, ...]:
        """Return the key's columns; none without a primary key."""
        rules = (*(rule for column in self.columns for rule in column.rules), *self.rules)
        return next((rule.columns for rule in rules if rule.kind is Kind.PRIMARY_KEY), ())


@lru_cache(maxsize=4096)  # a table is read once more for each foreign key that means its primary key
def parse_table(sql: str) -> ParsedTable:
    """Return the definition in a CREATE TABLE statement. Raises ValueError when it cannot be read."""
    all_tokens = tokens(sql)
    opening = next((i for i, token in enumerate(all_tokens) if token.text == "(" and not token.quoted), None)
    if opening is None:
        raise ValueError(_("no list of columns"))
    end = closing(all_tokens, opening)
    columns, rules = [], []
    for item in split(all_tokens[opening + 1 : end]):
        reader = Reader(sql, item)
        if item[0].is_word(*TABLE_WORDS):
            rules.append(reader.table_rule())
        else:
            columns.append(reader.column())
    return ParsedTable(tuple(columns), tuple(rules), sql[all_tokens[end].end :].strip())


def parse_index(sql: str) -> tuple[tuple[str, ...], str]:
    """Return the keys and the condition in a CREATE INDEX statement. Raises ValueError."""
    all_tokens = tokens(sql)
    opening = next((i for i, token in enumerate(all_tokens) if token.text == "(" and not token.quoted), None)
    if opening is None:
        raise ValueError(_("no list of columns"))
    end = closing(all_tokens, opening)
    keys = tuple(words(key).removesuffix(" asc") for key in split(all_tokens[opening + 1 : end]))
    return keys, words(all_tokens[end + 2 :])


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
            raise ValueError(_("unexpected end of %(source)s") % {"source": self.source})
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
            raise ValueError(_("no parenthesis in %(source)s") % {"source": self.source})
        start, self.at = self.at, closing(self.item, self.at) + 1
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
            column.not_null = self.conflict() not in LOSING  # a NULL makes no error then
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
            source, traits = self.resolving(f'PRIMARY KEY ("{column.name}")')
            column.autoincrement = self.accept("autoincrement")
            return Parsed(Kind.PRIMARY_KEY, name, columns, traits, source=source, home=home)
        if self.accept("unique"):
            source, traits = self.resolving(f'UNIQUE ("{column.name}")')
            return Parsed(Kind.UNIQUE, name, columns, traits, source=source, home=home)
        start = self.item[self.at].start
        if self.accept("check"):
            expression = words(self.group())
            source = self.sql[start : self.item[self.at - 1].end]
            return Parsed(Kind.CHECK, name, (), (("", f"CHECK ({expression})"),), source=source, home=home)
        if self.accept("references"):
            traits, timing = self.references()
            source = f'FOREIGN KEY ("{column.name}") ' + self.sql[start : self.item[self.at - 1].end]
            return Parsed(Kind.FOREIGN_KEY, name, columns, traits, timing, source, home=home)
        raise ValueError(_("unknown clause in %(source)s") % {"source": self.source})

    def table_rule(self) -> Parsed:
        """Read a constraint of the table."""
        name = self.take().name if self.accept("constraint") else ""
        if self.accept("primary", "key"):
            return Parsed(Kind.PRIMARY_KEY, name, self.names(), self.resolving("")[1], source=self.source)
        if self.accept("unique"):
            return Parsed(Kind.UNIQUE, name, self.names(), self.resolving("")[1], source=self.source)
        if self.accept("check"):
            expression = words(self.group())
            return Parsed(Kind.CHECK, name, (), (("", f"CHECK ({expression})"),), source=self.source)
        if self.accept("foreign", "key"):
            columns = self.names()
            if not self.accept("references"):
                raise ValueError(_("unknown clause in %(source)s") % {"source": self.source})
            traits, timing = self.references()
            return Parsed(Kind.FOREIGN_KEY, name, columns, traits, timing, self.source)
        raise ValueError(_("unknown clause in %(source)s") % {"source": self.source})

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

    def conflict(self) -> str:
        """Go past ON CONFLICT and return its algorithm; empty without one, or where it is the one without words."""
        algorithm = self.take().text if self.accept("on", "conflict") else ""
        return "" if algorithm == "abort" else algorithm

    def resolving(self, source: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a definition with the ON CONFLICT that follows, and what that means."""
        algorithm = self.conflict().upper()
        if not algorithm:
            return source, ()
        return f"{source} ON CONFLICT {algorithm}", (("on conflict", algorithm),)
