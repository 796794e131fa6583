"""Parse CREATE TABLE and CREATE INDEX, which SQLite keeps as they were written.

Names and keywords compare without case and quotes; strings and the order of words count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from django.utils.translation import gettext as _

from compat.structure.constraints import Check, Constraint, ForeignKey, PrimaryKey, Unique
from compat.structure.dialects.sqlite.lexer import Token, closing, split, tokens, words

CONSTRAINT_WORDS = frozenset(
    ("constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references", "generated", "as")
)
LOSSY_CONFLICTS = ("ignore", "replace")
TABLE_WORDS = frozenset(["constraint", "primary", "unique", "check", "foreign"])


@dataclass
class ParsedColumn:
    """One column's definition."""

    name: str
    type: str
    definition: str
    not_null: bool = False
    default: str | None = None
    collation: str | None = None
    generated: str | None = None
    autoincrement: bool = False
    constraints: list[Constraint] = field(default_factory=list)


@dataclass(frozen=True)
class ParsedTable:
    """A table's definition; `suffix` is what follows the parentheses, such as STRICT."""

    columns: tuple[ParsedColumn, ...]
    constraints: tuple[Constraint, ...]
    suffix: str

    def all_constraints(self) -> tuple[Constraint, ...]:
        """Return the constraints of the columns, then those of the table; one without a name has an empty name."""
        return (*(item for column in self.columns for item in column.constraints), *self.constraints)

    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, none without one."""
        return next((item.columns for item in self.all_constraints() if isinstance(item, PrimaryKey)), ())


@lru_cache(maxsize=4096)  # parsed again for each foreign key that means its primary key
def parse_table(sql: str) -> ParsedTable:
    """Return the definition in a CREATE TABLE statement. Raises ValueError when it cannot be read."""
    all_tokens = tokens(sql)
    opening = next((i for i, token in enumerate(all_tokens) if token.text == "(" and not token.quoted), None)
    if opening is None:
        raise ValueError(_("no list of columns"))
    end = closing(all_tokens, opening)
    columns, constraints = [], []
    for item in split(all_tokens[opening + 1 : end]):
        reader = Reader(sql, item)
        if item[0].is_word(*TABLE_WORDS):
            constraints.append(reader.table_constraint())
        else:
            columns.append(reader.column())
    return ParsedTable(tuple(columns), tuple(constraints), sql[all_tokens[end].end :].strip())


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
    def text(self) -> str:
        """The item as it was written."""
        return self.sql[self.item[0].start : self.item[-1].end]

    def take(self) -> Token:
        """Return the next token and go on."""
        if self.at >= len(self.item):
            raise ValueError(_("unexpected end of %(definition)s") % {"definition": self.text})
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
            raise ValueError(_("no parenthesis in %(definition)s") % {"definition": self.text})
        start, self.at = self.at, closing(self.item, self.at) + 1
        return list(self.item[start + 1 : self.at - 1])

    def column(self) -> ParsedColumn:
        """Read a column's definition."""
        name = self.take().name
        column = ParsedColumn(name, self.type(), self.text)
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
            column.not_null = self.conflict() not in LOSSY_CONFLICTS  # then a NULL raises no error
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
            column.constraints.append(self._column_constraint(column, name))

    def _column_constraint(self, column: ParsedColumn, name: str) -> Constraint:
        inline = column.name.casefold()
        if self.accept("primary", "key"):
            if not self.accept("asc"):
                self.accept("desc")
            conflict = self.conflict().upper()
            column.autoincrement = self.accept("autoincrement")
            definition = _with_conflict(f'PRIMARY KEY ("{column.name}")', conflict)
            return PrimaryKey(name, (inline,), definition, inline, on_conflict=conflict)
        if self.accept("unique"):
            conflict = self.conflict().upper()
            definition = _with_conflict(f'UNIQUE ("{column.name}")', conflict)
            return Unique(name, (inline,), definition, inline, on_conflict=conflict)
        start = self.item[self.at].start
        if self.accept("check"):
            return self.check(name, start, inline)
        if self.accept("references"):
            key = self.references()
            definition = f'FOREIGN KEY ("{column.name}") ' + self.sql[start : self.item[self.at - 1].end]
            return replace(key, name=name, columns=(inline,), definition=definition, inline_column=inline)
        raise self.unknown_clause()

    def table_constraint(self) -> Constraint:
        """Read a constraint of the table."""
        name = self.take().name if self.accept("constraint") else ""
        if self.accept("primary", "key"):
            return PrimaryKey(name, self.names(), self.text, on_conflict=self.conflict().upper())
        if self.accept("unique"):
            return Unique(name, self.names(), self.text, on_conflict=self.conflict().upper())
        if self.accept("check"):
            return replace(self.check(name, 0), definition=self.text)
        if self.accept("foreign", "key"):
            columns = self.names()
            if self.accept("references"):
                return replace(self.references(), name=name, columns=columns, definition=self.text)
        raise self.unknown_clause()

    def unknown_clause(self) -> ValueError:
        """Return the error for a clause that is not understood."""
        return ValueError(_("unknown clause in %(definition)s") % {"definition": self.text})

    def check(self, name: str, start: int, inline: str = "") -> Check:
        """Read what follows CHECK, which begins at `start` of the statement."""
        condition = self.group()
        definition = self.sql[start : self.item[self.at - 1].end]
        asked = self.sql[condition[0].start : condition[-1].end] if condition else ""
        return Check(name, (), definition, inline, clause=f"CHECK ({words(condition)})", condition=asked)

    def names(self) -> tuple[str, ...]:
        """Read a list of columns in parentheses."""
        return tuple(words(item).removesuffix(" asc") for item in split(self.group()))

    def references(self) -> ForeignKey:
        """Read what follows REFERENCES: target and actions, and when it is checked."""
        table = self.take().text
        at_paren = self.at < len(self.item) and self.item[self.at].text == "("
        columns = self.names() if at_paren else ()
        actions = {"delete": "", "update": ""}
        while self.accept("on"):
            event, action = self.take().text, self.take().text
            action += f" {self.take().text}" if action in ("set", "no") else ""
            actions[event] = "" if action == "no action" else action.upper()
        match = self.take().text if self.accept("match") else ""
        return ForeignKey(
            "",
            target_table=table,
            target_columns=columns,
            on_delete=actions["delete"],
            on_update=actions["update"],
            match=match,
            deferrable=self.deferrable(),
        )

    def deferrable(self) -> str:
        """Read when a foreign key is checked; empty for at once."""
        if self.accept("not", "deferrable"):
            self.accept("initially", "immediate")
            return ""
        if not self.accept("deferrable"):
            return ""
        is_deferred = self.accept("initially") and self.take().text == "deferred"
        return "DEFERRABLE INITIALLY DEFERRED" if is_deferred else "DEFERRABLE"

    def default(self) -> str:
        """Read a default: an expression in parentheses, a literal or a signed number."""
        if self.item[self.at].text == "(":
            return words(self.group())
        token = self.take()
        return token.text + self.take().text if token.text in "+-" else token.text

    def conflict(self) -> str:
        """Go past ON CONFLICT and return its algorithm; empty without one or where it is the default."""
        algorithm = self.take().text if self.accept("on", "conflict") else ""
        return "" if algorithm == "abort" else algorithm


def _with_conflict(definition: str, algorithm: str) -> str:
    return f"{definition} ON CONFLICT {algorithm}" if algorithm else definition
