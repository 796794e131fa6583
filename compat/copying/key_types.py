"""The types of source keys: how keys are divided into ranges, counted and stored.

A new type of keys is one KeyType and one entry of KEY_TYPES.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Field, IntegerField, Model, QuerySet

from compat.copying.dialects import Dialect
from compat.database.sql import Sql

Key = Any
"""A value of the source's primary key, in a form that every database takes as a parameter."""

MIN_RANGE_KEYS = 100_000
"""Keys of a range at least; more once there would be more than MAX_RANGES ranges."""
MAX_RANGES = 64
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class KeyRange:
    """The source rows with keys above `after` (None: from the smallest) up to and including `last`."""

    after: Key | None
    last: Key

    def __bool__(self) -> bool:
        return bool(self.after != self.last)

    def condition(self, column: str) -> Sql:
        """Return the condition that the key in `column` is in the range."""
        if self.after is None:
            return Sql(f"{column} <= %s", (self.last,))
        return Sql(f"{column} > %s AND {column} <= %s", (self.after, self.last))

    def filter(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of a queryset over the source that are in the range."""
        rows = rows.filter(pk__lte=self.last)
        return rows if self.after is None else rows.filter(pk__gt=self.after)

    def halves(self, middle: Key) -> "tuple[KeyRange, KeyRange]":
        """Return the range up to and including `middle`, and the rest."""
        return KeyRange(self.after, middle), KeyRange(middle, self.last)

    def __str__(self) -> str:
        return f"after {self.after} up to {self.last}"


@dataclass(frozen=True)
class KeyList:
    """The source rows with these keys."""

    keys: tuple[Key, ...]

    def condition(self, column: str) -> Sql:
        """Return the condition that the key in `column` is one of the keys."""
        return Sql(f"{column} IN ({', '.join(['%s'] * len(self.keys))})", self.keys)

    def halves(self, middle: Key) -> "tuple[KeyList, KeyList]":
        """Return the first and the second half of the keys."""
        half = max(1, len(self.keys) // 2)
        return KeyList(self.keys[:half]), KeyList(self.keys[half:])


Selection = KeyRange | KeyList


class KeyType(ABC):
    """A type of keys: how keys are divided, counted and stored."""

    is_counted: ClassVar[bool]
    """Whether a database gives keys of this type to new rows from a counter."""

    @abstractmethod
    def start(self, first: Key) -> Key | None:
        """Return the lower bound of the first run, when `first` is the smallest visible key."""

    @abstractmethod
    def before(self, key: Key) -> Key | None:
        """Return the lower bound of a range that begins with `key`."""

    @abstractmethod
    def split(self, keys: KeyRange) -> Iterator[KeyRange]:
        """Yield the ranges on which the workers of a run work."""

    @abstractmethod
    def span(self, keys: KeyRange) -> int:
        """Return how many keys a range can hold."""

    @abstractmethod
    def contains(self, keys: KeyRange, key: Key) -> bool:
        """Tell whether a key is in a range."""

    @abstractmethod
    def hull(self, covered: Sequence[KeyRange]) -> KeyRange:
        """Return the range that holds all these ranges."""

    @abstractmethod
    def bounds(self, keys: KeyRange) -> tuple[Key, Key]:
        """Return the first and the last key of a range as a person reads them."""

    @abstractmethod
    def from_cursor(self, value: Any) -> Key:
        """Return the key that a driver read, in the one form that keys have."""

    @abstractmethod
    def to_checkpoint(self, key: Key | None) -> Any:
        """Return a key as JSON stores it."""

    @abstractmethod
    def from_checkpoint(self, stored: Any) -> Key | None:
        """Return the key that `to_checkpoint` stored."""

    @abstractmethod
    def to_text(self, key: Key) -> str:
        """Return the text by which a reject names its source row."""

    @abstractmethod
    def from_text(self, text: str) -> Key:
        """Return the key that `to_text` wrote."""

    @abstractmethod
    def text_sql(self, dialect: Dialect, key: str) -> str:
        """Return SQL that writes the SQL `key` as `to_text` does."""


class IntegerKeys(KeyType):
    """Whole numbers of at most 64 bits."""

    is_counted = True

    def start(self, first: int) -> int | None:
        """Begin with 1 or below: transactions that are not committed yet may hold keys below the smallest visible."""
        return self.before(min(1, first))

    def before(self, key: int) -> int | None:
        """Return the number before; nothing is before the smallest number of 64 bits."""
        return None if key <= MIN_INTEGER else key - 1

    def floor(self, keys: KeyRange) -> int:
        """Return the lower bound of a range as a number."""
        return MIN_INTEGER - 1 if keys.after is None else int(keys.after)

    def split(self, keys: KeyRange) -> Iterator[KeyRange]:
        """Divide the numbers into ranges of equal width."""
        width = max(MIN_RANGE_KEYS, -(-self.span(keys) // MAX_RANGES))
        for after in range(self.floor(keys), keys.last, width):
            yield KeyRange(self.before(after + 1), min(after + width, keys.last))

    def span(self, keys: KeyRange) -> int:
        """Count the numbers."""
        return int(keys.last) - self.floor(keys)

    def contains(self, keys: KeyRange, key: int) -> bool:
        """Compare the numbers."""
        return bool(self.floor(keys) < key <= keys.last)

    def bounds(self, keys: KeyRange) -> tuple[int, int]:
        """Return the numbers themselves."""
        return self.floor(keys) + 1, keys.last

    def hull(self, covered: Sequence[KeyRange]) -> KeyRange:
        """Return the range from the smallest to the largest bound."""
        lowest = min(map(self.floor, covered))
        return KeyRange(self.before(lowest + 1), max(keys.last for keys in covered))

    def from_cursor(self, value: int) -> int:
        """Every driver reads whole numbers as they are."""
        return value

    def to_checkpoint(self, key: int | None) -> int | None:
        """JSON has whole numbers of any size."""
        return key

    def from_checkpoint(self, stored: int | None) -> int | None:
        """Nothing to convert."""
        return stored

    def to_text(self, key: int) -> str:
        """Return the decimal digits."""
        return str(key)

    def from_text(self, text: str) -> int:
        """Read the decimal digits."""
        return int(text)

    def text_sql(self, dialect: Dialect, key: str) -> str:
        """Every database writes decimal digits."""
        return dialect.sql.as_text(key)


KEY_TYPES: Sequence[tuple[type["Field[Any, Any]"], KeyType]] = [(IntegerField, IntegerKeys())]


def key_type_of(model: type[Model]) -> KeyType | None:
    """Return the type of a model's primary key, or None for one that copies do not support."""
    return next((key_type for field, key_type in KEY_TYPES if isinstance(model._meta.pk, field)), None)
