"""What is known of a table, whatever the database: values only, read by a backend, compared by `compare`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from compat.structure.findings import Kind

STRING = re.compile(r"'(?:[^']|'')*'")


def names(expression: str, column: str) -> bool:
    """Whether an expression names the column."""
    text = STRING.sub("", expression)
    return re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", text, re.IGNORECASE) is not None


class Visibility(StrEnum):
    """What row-level security lets the role that verifies see, and other roles."""

    EVERYTHING = ""
    NOTHING = "no row for this role"
    BY_POLICY = "policies for this role"
    ONLY_HERE = "no row for other roles"
    ALL_HERE = "policies for other roles"


@dataclass(frozen=True)
class Column:
    """A column. `auto` says who gives the value of a key: `identity`, `always`, `serial`, `autoincrement`.

    `unvalidated` names a NOT NULL constraint that older rows may break.
    """

    name: str
    type: str
    nullable: bool
    default: str | None = None
    collation: str | None = None
    auto: str | None = None
    generated: str | None = None
    comment: str | None = None
    definition: str = ""
    unvalidated: str | None = None

    def describe(self) -> str:
        """Return the column as a person would write it."""
        parts = [self.type, "NULL" if self.nullable else "NOT NULL"]
        parts += [f"DEFAULT {self.default}"] if self.default is not None else []
        parts += [f"COLLATE {self.collation}"] if self.collation else []
        parts += [f"GENERATED {self.generated}"] if self.generated else []
        return " ".join(parts)

    @property
    def needs_value(self) -> bool:
        """Whether the rows that exist need a value when the column is added."""
        return not (self.nullable or self.auto or self.generated or self.default is not None)

    @property
    def shape(self) -> tuple[object, ...]:
        """Everything but the name and the comment."""
        return self.type, self.nullable, self.default, self.collation, bool(self.auto), self.generated


@dataclass(frozen=True)
class Rule:
    """A constraint or an index: its kind, its columns or expressions, and the traits that tell it apart.

    `definition` is what its creation takes; `flags` are traits of less weight, such as NOT VALID; `enabling` are
    the statements that let its disabled triggers fire again.
    """

    kind: Kind
    name: str
    columns: tuple[str, ...]
    traits: tuple[tuple[str, str], ...] = ()
    flags: tuple[tuple[str, str], ...] = ()
    definition: str = ""
    home: str = ""
    enabling: tuple[str, ...] = ()

    @property
    def inline(self) -> bool:
        """Whether the rule stands in the definition of a column, which `home` names."""
        return bool(self.home)

    @property
    def signature(self) -> tuple[object, ...]:
        """What the rule means, apart from its name."""
        return self.kind, self.columns, self.traits

    def target(self) -> tuple[str, tuple[str, ...]]:
        """Return the table and the columns that a foreign key refers to."""
        table, _, columns = dict(self.traits)["to"].partition(" (")
        return table, tuple(columns.removesuffix(")").split(", "))

    def mentions(self, column: str) -> bool:
        """Whether the rule is about the column, or names it in an expression."""
        if column.casefold() in (name.casefold() for name in self.columns):
            return True
        if self.kind in (Kind.PRIMARY_KEY, Kind.FOREIGN_KEY):
            return False
        return names(self.definition.partition("(")[2], column)

    def describe(self, *, with_flags: bool = False) -> str:
        """Return the rule as a person would write it."""
        columns = [f"({', '.join(self.columns)})"] if self.columns else []
        flags = [value for _, value in self.flags if with_flags]
        return " ".join([*columns, *(f"{name} {value}".strip() for name, value in self.traits), *flags])


@dataclass(frozen=True)
class Sequence:
    """The sequence behind a key: the next value that it gives, the largest that it can give.

    `unreadable` names what the role may not read, so that the next value and the largest key are not known.
    """

    name: str
    column: str
    last_possible: int
    next_value: int | None = None
    largest_key: int | None = None
    unreadable: str | None = None
    descends: bool = False
    cycles: bool = False


@dataclass(frozen=True)
class Table:
    """A table, or what stands in its place (`kind`); `columns` are listed by the name that compares.

    `triggers` are its triggers and rules, each with the word before its name; `fills_rows`: one of them may give
    columns a value before a row is inserted.
    """

    name: str
    kind: str = "table"
    columns: Mapping[str, Column] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    storage: str | None = None
    comment: str | None = None
    bytes: int = 0
    elsewhere: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    suffix: str = ""
    unreadable: str | None = None
    triggers: tuple[str, ...] = ()
    fills_rows: bool = False
    visibility: Visibility = Visibility.EVERYTHING

    def column(self, name: str | None) -> Column | None:
        """Return the column of that name, as it is written or, where case does not count, as it is listed."""
        return self.columns.get(name or "") or self.columns.get((name or "").casefold())

    def rule(self, kind: Kind, name: str | None) -> Rule | None:
        """Return the constraint or index of that kind and name."""
        return next((rule for rule in self.rules if (rule.kind, rule.name) == (kind, name)), None)

    def primary_key(self) -> tuple[str, ...]:
        """Return the key's columns; none without a primary key."""
        return next((rule.columns for rule in self.rules if rule.kind is Kind.PRIMARY_KEY), ())


Snapshot = Mapping[str, Table]
