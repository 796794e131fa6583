"""Which keys the rows of a copy get in the target, and which target rows belong to a run.

With `key_types` this is all that the engine knows about keys: it computes with them nowhere else. A range excludes its
lower bound and includes its upper bound, so that a range can be continued from any key that was read.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, F, Model, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from compat.copying.dialects import Dialect
from compat.copying.errors import Blocked
from compat.copying.key_types import MAX_INTEGER, MIN_INTEGER, IntegerKeys, Key, KeyRange, KeyType, key_type_of
from compat.database.sql import Sql


class StoredRange(Protocol):
    """The columns in which a run or a range stores its keys."""

    after_key: Any
    upto_key: Any


class Checkpoint(StoredRange, Protocol):
    """A stored range with its checkpoint."""

    done_key: Any


@dataclass(frozen=True)
class KeyStrategy(ABC):
    """Which key a source row gets in the target."""

    type: KeyType
    offset: int = 0

    owns_range: ClassVar[bool]
    """Whether every target row whose key belongs to a run was written by that run."""

    @abstractmethod
    def reserve(
        self, dialect: Dialect, cursor: CursorWrapper, table: str, column: str, keys: KeyRange
    ) -> "KeyStrategy":
        """Keep the target keys of a range free for a new run; return the strategy of that run.

        Raises Blocked when the target cannot give them.
        """

    @abstractmethod
    def behind(self, highest: Key | None, keys: KeyRange) -> "KeyStrategy":
        """Return the strategy that a new run would get if `highest` is the largest key of the target."""

    @abstractmethod
    def target_expression(self) -> Any:
        """Return the target key as an ORM expression over the source."""

    @abstractmethod
    def target_sql(self, dialect: Dialect, source_key: str) -> str:
        """Return the target key as SQL in the target's database; `source_key` is SQL, too."""

    @abstractmethod
    def target_condition(self, column: str, keys: KeyRange) -> Sql:
        """Return the condition that the target key in `column` belongs to a range of source keys."""

    @abstractmethod
    def source_key(self, target_key: Key) -> Key:
        """Return the source key to which a target key belongs."""

    def range_of(self, stored: StoredRange) -> KeyRange:
        """Return the stored keys of a run or a range."""
        return KeyRange(self.type.from_checkpoint(stored.after_key), self.type.from_checkpoint(stored.upto_key))

    def to_columns(self, keys: KeyRange) -> dict[str, Any]:
        """Return the columns in which a range is stored."""
        return {"after_key": self.type.to_checkpoint(keys.after), "upto_key": self.type.to_checkpoint(keys.last)}

    def remaining(self, stored: Checkpoint) -> KeyRange:
        """Return the keys behind the checkpoint."""
        return replace(self.range_of(stored), after=self.type.from_checkpoint(stored.done_key))

    def done(self, stored: Checkpoint) -> KeyRange:
        """Return the keys up to the checkpoint."""
        return replace(self.range_of(stored), last=self.type.from_checkpoint(stored.done_key))

    def next_range(self, rows: QuerySet[Any], covered: Sequence[KeyRange]) -> KeyRange | None:
        """Return the next keys of the source that no run has covered, or None when there is none.

        A later run begins behind all others, or ends before them.
        """
        if not covered:
            first, last = self._edge(rows, "pk"), self._edge(rows, "-pk")
            return None if last is None else KeyRange(self.type.start(first), last)
        hull = self.type.hull(covered)
        if (last := self._edge(rows.filter(pk__gt=hull.last), "-pk")) is not None:
            return KeyRange(hull.last, last)
        if hull.after is None or (first := self._edge(rows.filter(pk__lte=hull.after), "pk")) is None:
            return None
        return KeyRange(self.type.before(first), hull.after)

    def _edge(self, rows: QuerySet[Any], order: str) -> Key | None:
        """Return the smallest key, or with `-pk` the largest."""
        key = rows.exclude(pk=None).order_by(order).values_list("pk", flat=True).first()
        return None if key is None else self.type.from_cursor(key)

    def uncovered(self, rows: QuerySet[Any], covered: Sequence[KeyRange]) -> QuerySet[Any]:
        """Return the rows of the source that no run has covered."""
        if not covered:
            return rows
        hull = self.type.hull(covered)
        outside = Q(pk__gt=hull.last)
        return rows.filter(outside if hull.after is None else outside | Q(pk__lte=hull.after))


class OffsetKeys(KeyStrategy):
    """Target key = source key + one offset per run; 0 when the target is empty."""

    type: IntegerKeys
    owns_range = True

    def reserve(self, dialect: Dialect, cursor: CursorWrapper, table: str, column: str, keys: KeyRange) -> "OffsetKeys":
        """Reserve one block behind all keys of the target, and raise its counter above the block."""
        used = dialect.sequences.lock(cursor, table, column)
        highest = None if used.highest is None else max(used.highest, used.counter)
        reserved = self.behind(highest, keys)
        if keys.last + reserved.offset > MAX_INTEGER:
            text = _("The keys of %(table)s cannot be moved by %(offset)d: they would exceed 64 bits.")
            raise Blocked(text % {"table": table, "offset": reserved.offset})
        dialect.sequences.raise_to(cursor, table, column, keys.last + reserved.offset)
        return reserved

    def behind(self, highest: int | None, keys: KeyRange) -> "OffsetKeys":
        """Let the first key of the range follow the largest key of the target."""
        return replace(self, offset=0 if highest is None else highest - self.type.floor(keys))

    def target_expression(self) -> Any:
        """Add the offset in 64 bits."""
        return Cast(F("pk"), BigIntegerField()) + Value(self.offset) if self.offset else F("pk")

    def target_sql(self, dialect: Dialect, source_key: str) -> str:
        """Add the offset in 64 bits."""
        return f"{dialect.sql.as_bigint(source_key)} + {self.offset:d}" if self.offset else source_key

    def target_condition(self, column: str, keys: KeyRange) -> Sql:
        """Move both bounds by the offset; a lower bound below 64 bits is none."""
        after, last = self.type.floor(keys) + self.offset, keys.last + self.offset
        return KeyRange(None if after < MIN_INTEGER else after, last).condition(column)

    def source_key(self, target_key: int) -> int:
        """Subtract the offset."""
        return target_key - self.offset


class SameKeys(KeyStrategy):
    """A row keeps its key; a row whose key is in the target already is left alone."""

    owns_range = False

    def reserve(self, dialect: Dialect, cursor: CursorWrapper, table: str, column: str, keys: KeyRange) -> "SameKeys":
        """Raise the counter of the target above the range, so that later inserts get other keys."""
        if self.type.is_counted:
            dialect.sequences.lock(cursor, table, column)
            dialect.sequences.raise_to(cursor, table, column, keys.last)
        return self

    def behind(self, highest: Key | None, keys: KeyRange) -> "SameKeys":
        """Keep the keys, whatever the target holds."""
        return self

    def target_expression(self) -> Any:
        """Return the source key."""
        return F("pk")

    def target_sql(self, dialect: Dialect, source_key: str) -> str:
        """Return the source key."""
        return source_key

    def target_condition(self, column: str, keys: KeyRange) -> Sql:
        """Target keys and source keys are the same."""
        return keys.condition(column)

    def source_key(self, target_key: Key) -> Key:
        """Return the same key."""
        return target_key


def key_problems(source: type[Model], target: type[Model], *, keep: bool) -> Iterator[str]:
    """Yield why the keys of these models cannot be copied; with `keep`, rows keep their keys."""
    types = {model: key_type_of(model) for model in (source, target)}
    for model, key_type in types.items():
        if key_type is None or (not keep and not isinstance(key_type, IntegerKeys)):
            yield _("The primary key of %(model)s is not an integer.") % {"model": model._meta.label}
    if None not in types.values() and types[source] is not types[target]:
        facts = {"source": source._meta.label, "target": target._meta.label}
        yield _("The primary keys of %(source)s and %(target)s are of different types.") % facts


def strategy_of(source: type[Model], offset: int, *, keep: bool) -> KeyStrategy:
    """Return the strategy of a run of a copy without key problems."""
    key_type = key_type_of(source)
    if keep and key_type is not None:
        return SameKeys(key_type)
    if not isinstance(key_type, IntegerKeys):
        raise TypeError(f"{source._meta.label} has key problems")
    return OffsetKeys(key_type, offset)


def stored_bounds(stored: StoredRange) -> tuple[Any, Any]:
    """Return the first and the last key of a stored range as a person reads them."""
    return (stored.after_key + 1 if isinstance(stored.after_key, int) else "…"), stored.upto_key


def part_done(stored: Checkpoint) -> float:
    """Return which part of a stored range is done, from 0 to 1; of keys that are no numbers only all or nothing."""
    after, upto, done = stored.after_key, stored.upto_key, stored.done_key
    if isinstance(after, int) and isinstance(upto, int) and isinstance(done, int) and upto > after:
        return (done - after) / (upto - after)
    return float(done == upto)
