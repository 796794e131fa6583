"""What is known of a table, whatever the database: values that dialects read and the kinds of findings compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext, gettext_noop

from compat.structure.constraints import Constraint, PrimaryKey


class RelationKind(StrEnum):
    """What has the name of a table."""

    ABSENT = ""
    TABLE = "table"
    VIEW = gettext_noop("view")
    MATERIALIZED_VIEW = gettext_noop("materialized view")
    FOREIGN_TABLE = gettext_noop("foreign table")
    VIRTUAL_TABLE = gettext_noop("virtual table")
    SEQUENCE = gettext_noop("sequence")
    TYPE = gettext_noop("type")
    INDEX = gettext_noop("index")


class RowSecurity(StrEnum):
    """Which rows row-level security hides, from the role that verifies or from other roles."""

    OFF = ""
    HIDES_ALL = "no row for this role"
    BY_POLICY = "policies for this role"
    HIDES_ALL_FROM_OTHERS = "no row for other roles"
    BY_POLICY_FOR_OTHERS = "policies for other roles"


class AutoNumber(StrEnum):
    """How the database numbers the rows of a key."""

    IDENTITY = "identity"
    ALWAYS = "always"
    SERIAL = "serial"
    AUTOINCREMENT = "autoincrement"


class TypeDifference(StrEnum):
    """How the type of a column differs from the model's."""

    INCOMPATIBLE = "incompatible"
    """It cannot hold every value of the model's type, or means something else."""
    WIDER = "wider"
    """It holds every value of the model's type, and more."""
    SPELLING = "spelling"
    """It is another word for a type that is stored alike."""


@dataclass(frozen=True)
class Column:
    """A column. `unvalidated` names a NOT NULL constraint that older rows may violate; `definition` is its SQL."""

    name: str
    type: str
    nullable: bool
    default: str | None = None
    collation: str | None = None
    auto: AutoNumber | None = None
    generated: str | None = None
    comment: str | None = None
    definition: str = ""
    unvalidated: str | None = None

    def describe(self) -> str:
        """Return the column in SQL."""
        parts = [self.type, "NULL" if self.nullable else "NOT NULL"]
        parts += [f"DEFAULT {self.default}"] if self.default is not None else []
        parts += [f"COLLATE {self.collation}"] if self.collation else []
        parts += [f"GENERATED {self.generated}"] if self.generated else []
        return " ".join(parts)

    @property
    def needs_value(self) -> bool:
        """Whether existing rows need a value when the column is added."""
        return not (self.nullable or self.auto or self.generated or self.default is not None)

    @property
    def db_signature(self) -> tuple[object, ...]:
        """Everything but the name and the comment."""
        return self.type, self.nullable, self.default, self.collation, bool(self.auto), self.generated


@dataclass(frozen=True)
class Sequence:
    """The sequence of a key.

    `unreadable` names what the role may not read; then `next_value` and `largest_key` are unknown.
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
class Trigger:
    """A trigger, or a rule of PostgreSQL."""

    name: str
    is_rule: bool = False
    enabled: bool = True

    def describe(self) -> str:
        """Return it in a few words."""
        return f"{'rule' if self.is_rule else 'trigger'} {self.name}{'' if self.enabled else ' (disabled)'}"


@dataclass(frozen=True)
class Dependent:
    """A view or trigger whose definition names a table."""

    name: str
    is_view: bool

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        text = gettext("the view %(name)s") if self.is_view else gettext("the trigger %(name)s")
        return text % {"name": self.name}


@dataclass(frozen=True)
class Table:
    """A table, or what has its name (`kind`); `columns` are listed by the name that compares.

    `elsewhere` are other schemas with a table of this name. `fills_rows`: a trigger may give columns a value
    before a row is inserted. `suffix` is what follows the column list, such as STRICT. `unreadable` is the reason
    why the table cannot be compared.
    """

    name: str
    kind: RelationKind = RelationKind.TABLE
    columns: Mapping[str, Column] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    unlogged: bool = False
    comment: str | None = None
    bytes: int = 0
    elsewhere: tuple[str, ...] = ()
    dependents: tuple[Dependent, ...] = ()
    suffix: str = ""
    unreadable: str | None = None
    triggers: tuple[Trigger, ...] = ()
    fills_rows: bool = False
    row_security: RowSecurity = RowSecurity.OFF

    @property
    def exists(self) -> bool:
        """Whether anything has the table's name."""
        return self.kind is not RelationKind.ABSENT

    def column(self, name: str | None) -> Column | None:
        """Return the column of that name, as written or, where case does not count, as listed."""
        return self.columns.get(name or "") or self.columns.get((name or "").casefold())

    def constraint(self, kind: str, name: str | None) -> Constraint | None:
        """Return the constraint or index of that kind and name."""
        return next((item for item in self.constraints if (item.kind, item.name) == (kind, name)), None)

    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, none without one."""
        return next((item.columns for item in self.constraints if isinstance(item, PrimaryKey)), ())


def absent(name: str, elsewhere: tuple[str, ...] = ()) -> Table:
    """Return the table that does not exist."""
    return Table(name, RelationKind.ABSENT, elsewhere=elsewhere)


Snapshot = Mapping[str, Table]
