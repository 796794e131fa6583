"""Constraints and indexes, as typed values that compare by what they guarantee."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop

STRING = re.compile(r"'(?:[^']|'')*'")


def mentions(expression: str, column: str) -> bool:
    """Whether an SQL expression names the column."""
    text = STRING.sub("", expression)
    return re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", text, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Constraint:
    """A constraint or an index of a table.

    `definition` is its SQL. `inline_column` is the column whose definition contains it, on SQLite.
    """

    kind: ClassVar[str]
    """The name of the kind of findings about it."""
    noun: ClassVar[Promise]
    """What messages call it."""

    name: str
    columns: tuple[str, ...] = ()
    definition: str = ""
    inline_column: str = ""

    def meaning(self) -> Mapping[str, str]:
        """Return what it guarantees beyond its columns, as words by name."""
        return {}

    def state(self) -> Mapping[str, str]:
        """Return what weighs less than its meaning, such as NOT VALID, as words by name."""
        return {}

    @cached_property
    def signature(self) -> tuple[object, ...]:
        """What it means, apart from its name and state."""
        return type(self), self.columns, tuple(sorted(_filled(self.meaning()).items()))

    @property
    def is_standalone(self) -> bool:
        """Whether a statement of its own created it: an index."""
        return self.definition.upper().startswith("CREATE")

    def mentions(self, column: str) -> bool:
        """Whether it is on the column, or names it in an expression."""
        if column.casefold() in (name.casefold() for name in self.columns):
            return True
        return mentions(self.definition.partition("(")[2], column)

    def describe(self, *, with_state: bool = False) -> str:
        """Return its columns and meaning in SQL-like words."""
        columns = [f"({', '.join(self.columns)})"] if self.columns else []
        words = [f"{name} {value}".strip() for name, value in sorted(_filled(self.meaning()).items())]
        state = [value for _, value in sorted(_filled(self.state()).items())] if with_state else []
        return " ".join([*columns, *words, *state])


def _filled(words: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in words.items() if value}


@dataclass(frozen=True)
class PrimaryKey(Constraint):
    """A primary key. `on_conflict` is SQLite's clause."""

    kind = "primary_key"
    noun = gettext_lazy("primary key")
    including: tuple[str, ...] = ()
    on_conflict: str = ""
    deferrable: str = ""

    def meaning(self) -> Mapping[str, str]:
        return {"including": ", ".join(self.including), "on conflict": self.on_conflict}

    def state(self) -> Mapping[str, str]:
        return {"timing": self.deferrable}

    def mentions(self, column: str) -> bool:
        return column.casefold() in (name.casefold() for name in self.columns)


@dataclass(frozen=True)
class ForeignKey(Constraint):
    """A foreign key. An action is empty for NO ACTION; `enabling` are the statements that enable its triggers."""

    kind = "foreign_key"
    noun = gettext_lazy("foreign key")
    target_table: str = ""
    target_columns: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""
    match: str = ""
    deferrable: str = ""
    validated: bool = True
    enforced: bool = True
    enabling: tuple[str, ...] = ()

    def meaning(self) -> Mapping[str, str]:
        target = f"{self.target_table} ({', '.join(self.target_columns)})"
        return {"to": target, "on delete": self.on_delete, "on update": self.on_update, "match": self.match}

    def state(self) -> Mapping[str, str]:
        disabled = gettext_noop("not enforced because its triggers are disabled") if self.enabling else ""
        return {
            "timing": self.deferrable,
            "state": "" if self.validated or not self.enforced else "NOT VALID",
            "enforced": disabled if self.enforced else "NOT ENFORCED",
        }

    def mentions(self, column: str) -> bool:
        return column.casefold() in (name.casefold() for name in self.columns)


@dataclass(frozen=True)
class IndexOptions:
    """What an index has beside columns and condition, where it is not the default."""

    method: str = ""
    order: str = ""
    operators: str = ""
    collations: str = ""
    storage: str = ""
    for_like: bool = False
    """Whether it serves LIKE in every locale."""

    def meaning(self) -> Mapping[str, str]:
        """Return the options as words by name."""
        return {
            "using": self.method,
            "ordered": self.order,
            "operators": self.operators,
            "collated": self.collations,
            "with": self.storage,
        }


@dataclass(frozen=True)
class Unique(Constraint):
    """A unique constraint or a unique index; `is_index` is None where the database does not tell them apart."""

    kind = "unique"
    noun = gettext_lazy("unique constraint")
    condition: str = ""
    including: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    on_conflict: str = ""
    options: IndexOptions = IndexOptions()
    is_index: bool | None = None
    valid: bool = True
    deferrable: str = ""

    def meaning(self) -> Mapping[str, str]:
        return {
            **self.options.meaning(),
            "including": ", ".join(self.including),
            "nulls": "NOT DISTINCT" if self.nulls_not_distinct else "",
            "on conflict": self.on_conflict,
            "where": self.condition,
        }

    def state(self) -> Mapping[str, str]:
        form = {True: gettext_noop("index"), False: gettext_noop("constraint"), None: ""}
        return {"timing": self.deferrable, "state": "" if self.valid else "INVALID", "form": form[self.is_index]}


@dataclass(frozen=True)
class Check(Constraint):
    """A check constraint. `clause` is its normal form, `condition` what can be asked of the rows."""

    kind = "check"
    noun = gettext_lazy("check constraint")
    clause: str = ""
    condition: str = ""
    validated: bool = True
    enforced: bool = True

    def meaning(self) -> Mapping[str, str]:
        return {"": self.clause}

    def state(self) -> Mapping[str, str]:
        return {
            "state": "" if self.validated or not self.enforced else "NOT VALID",
            "enforced": "" if self.enforced else "NOT ENFORCED",
        }


@dataclass(frozen=True)
class Exclusion(Constraint):
    """An exclusion constraint. `clause` is its normal form."""

    kind = "exclusion"
    noun = gettext_lazy("exclusion constraint")
    clause: str = ""
    deferrable: str = ""

    def meaning(self) -> Mapping[str, str]:
        return {"": self.clause}

    def state(self) -> Mapping[str, str]:
        return {"timing": self.deferrable}


@dataclass(frozen=True)
class Index(Constraint):
    """An index that is not unique."""

    kind = "index"
    noun = gettext_lazy("index")
    condition: str = ""
    including: tuple[str, ...] = ()
    options: IndexOptions = IndexOptions()
    valid: bool = True

    def meaning(self) -> Mapping[str, str]:
        return {**self.options.meaning(), "including": ", ".join(self.including), "where": self.condition}

    def state(self) -> Mapping[str, str]:
        return {"state": "" if self.valid else "INVALID"}
