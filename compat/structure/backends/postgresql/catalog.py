"""Read PostgreSQL's catalog: six queries for the structure, two for the sequences, however many tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import starmap
from typing import Any

from django.utils.translation import gettext_noop

from compat.structure.backends.postgresql import shapes
from compat.structure.backends.postgresql.queries import (
    COLUMNS,
    CONSTRAINTS,
    FAMILIES,
    INDEXES,
    RELATIONS,
    SCRATCH_RELATIONS,
    SEQUENCES,
    ColumnRow,
    ConstraintRow,
    IndexRow,
    Relation,
)
from compat.structure.snapshot import Column, Rule, Sequence, Table, Visibility

Query = Callable[..., list[tuple[Any, ...]]]
KINDS = {
    "r": "table",
    "p": "table",
    "v": gettext_noop("view"),
    "m": gettext_noop("materialized view"),
    "f": gettext_noop("foreign table"),
    "S": gettext_noop("sequence"),
    "c": gettext_noop("type"),
    "i": gettext_noop("index"),
}
WITHOUT_ROWS = "Sci"


def read(query: Query, names: Iterable[str], *, scratch: bool = False, values: bool = True) -> Mapping[str, Table]:
    """Return the tables of these names; `scratch`: those in the session's temporary schema.

    `values`: also read where the sequences stand and the largest keys.
    """
    names = list(names)
    relations = list(starmap(Relation, query(SCRATCH_RELATIONS if scratch else RELATIONS, names, names)))
    chosen, elsewhere = _choose(relations, names)
    oids = [relation.oid for relation in chosen.values()]
    parts = _Parts(query, oids, [name for name in names if "." in name], values=values and not scratch)
    found = {
        name: Table(
            name=name,
            kind=KINDS[relation.kind],
            columns={column.name: column for column in parts.columns[relation.oid]},
            rules=tuple(parts.rules[relation.oid]),
            sequences=tuple(parts.sequences[relation.oid]),
            storage="UNLOGGED" if relation.persistence == "u" else None,
            comment=relation.comment,
            bytes=relation.bytes,
            triggers=tuple(relation.triggers),
            visibility=Visibility(relation.visibility),
            fills_rows=relation.fills_rows,
        )
        for name, relation in chosen.items()
    }
    absent = {name: Table(name, "", elsewhere=places) for name, places in elsewhere.items() if name not in found}
    return found | absent


def _choose(relations: list[Relation], names: list[str]) -> tuple[dict[str, Relation], dict[str, tuple[str, ...]]]:
    """Return, by name, the relation that the name means on the search path, and the schemas of its namesakes."""
    wanted, chosen = set(names), {}
    elsewhere: dict[str, tuple[str, ...]] = {}
    for relation in relations:
        qualified = f"{relation.schema}.{relation.name}"
        if qualified in wanted:
            chosen[qualified] = relation
        if relation.name in wanted and relation.visible:
            chosen[relation.name] = relation
        elif relation.name in wanted and relation.kind not in WITHOUT_ROWS:
            elsewhere[relation.name] = (*elsewhere.get(relation.name, ()), relation.schema)
    return chosen, elsewhere


class _Parts:
    """The columns, rules and sequences of tables, by the table's oid."""

    def __init__(self, query: Query, oids: list[int], qualified: list[str], *, values: bool) -> None:
        self.columns: dict[int, list[Column]] = defaultdict(list)
        self.rules: dict[int, list[Rule]] = defaultdict(list)
        self.sequences: dict[int, list[Sequence]] = defaultdict(list)
        for column in starmap(ColumnRow, query(COLUMNS, oids)):
            self.columns[column.oid].append(shapes.column(column))
        textual = {oid: shapes.textual(columns) for oid, columns in self.columns.items()}
        for constraint in starmap(ConstraintRow, query(CONSTRAINTS, qualified, oids)):
            self.rules[constraint.oid].append(shapes.constraint(constraint, textual.get(constraint.oid, ())))
        families: dict[int, str] = dict(query(FAMILIES))
        for index in starmap(IndexRow, query(INDEXES, oids)):
            self.rules[index.oid].append(shapes.index(families, index, textual.get(index.oid, ())))
        self._read_sequences(query, oids, values=values)

    def _read_sequences(self, query: Query, oids: list[int], *, values: bool) -> None:
        rows = query(SEQUENCES, oids, oids)
        wanted = [row for row in rows if values and row[4] > 0 and row[6]]
        readable = [row for row in wanted if row[7] is None]
        closed = {row[:2]: row[7] for row in wanted if row[7] is not None}
        # The largest key first: a sequence that is read later has given every key that was seen.
        largest = _union(query, (f"max({column}) FROM {table}" for *_, column, table in readable))
        coming = _union(query, (f"last_value + is_called::int FROM {row[2]}" for row in readable))
        seen = {row[:2]: pair for row, pair in zip(readable, zip(coming, largest, strict=True), strict=True)}
        for oid, name, sequence, last, step, cycles, *_ in rows:
            coming_value, largest_key = seen.get((oid, name), (None, None))
            unreadable = closed.get((oid, name))
            self.sequences[oid].append(
                Sequence(sequence, name, last, coming_value, largest_key, unreadable, descends=step < 0, cycles=cycles)
            )


def _union(query: Query, selects: Iterable[str]) -> list[int | None]:
    """Return the one value of each select, read in one query."""
    numbered = [f"SELECT {number} AS n, {select}" for number, select in enumerate(selects)]
    return [value for _, value in query(" UNION ALL ".join(numbered) + " ORDER BY n")] if numbered else []
