"""Read PostgreSQL's catalog: six queries for the structure, two for the sequences, however many tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import starmap
from typing import Any

from django.db import DatabaseError, transaction

from compat.structure.build import Creation, creations
from compat.structure.constraints import Constraint
from compat.structure.dialects.base import Introspection
from compat.structure.dialects.postgresql import rows, scratch, session
from compat.structure.dialects.postgresql.queries import (
    COLUMNS,
    CONSTRAINTS,
    FAMILIES,
    INDEXES,
    LOCKED,
    RELATIONS,
    SCRATCH_RELATIONS,
    SEQUENCES,
    ColumnRow,
    ConstraintRow,
    IndexRow,
    Relation,
    SequenceRow,
)
from compat.structure.project import ModelTable
from compat.structure.schema import Column, RelationKind, RowSecurity, Sequence, Snapshot, Table, Trigger, absent

Query = Callable[..., list[tuple[Any, ...]]]
KINDS = {
    "r": RelationKind.TABLE,
    "p": RelationKind.TABLE,
    "v": RelationKind.VIEW,
    "m": RelationKind.MATERIALIZED_VIEW,
    "f": RelationKind.FOREIGN_TABLE,
    "S": RelationKind.SEQUENCE,
    "c": RelationKind.TYPE,
    "i": RelationKind.INDEX,
}
KINDS_WITHOUT_ROWS = "Sci"
ROW_SECURITY = {
    "": RowSecurity.OFF,
    "none": RowSecurity.HIDES_ALL,
    "policy": RowSecurity.BY_POLICY,
    "none for others": RowSecurity.HIDES_ALL_FROM_OTHERS,
    "policy for others": RowSecurity.BY_POLICY_FOR_OTHERS,
}


class PostgreSQLIntrospection(Introspection):
    """The expected tables are created in the session's temporary schema."""

    def expected(self, tables: Iterable[ModelTable]) -> Snapshot:
        tables = tuple(tables)
        found: dict[str, Table] = {}
        for batch, built in scratch.batches(self.connection, self.rows, tables):
            with scratch.created(self.connection, batch, built) as failed:
                found |= read(self.rows, built, scratch_tables=True)
            found |= {table: Table(table, unreadable=reason) for table, reason in failed.items()}
        return {table.table: found[table.table] for table in tables}

    def actual(self, names: Iterable[str]) -> Snapshot:
        with transaction.atomic(self.connection.alias):
            self.rows(
                "SELECT set_config('lock_timeout', %s, true)", session.milliseconds(session.READ_LOCK_TIMEOUT_SECONDS)
            )
            return read(self.rows, names)

    def creation(self, table: ModelTable) -> Creation:
        return creations(self.connection, [table])[table.table]

    def size_bytes(self, table: Table) -> int:
        return table.bytes

    def locked_tables(self) -> tuple[str, ...]:
        try:
            return tuple(name for (name,) in self.rows(LOCKED))
        except DatabaseError:
            return ()


def read(query: Query, names: Iterable[str], *, scratch_tables: bool = False) -> Snapshot:
    """Return the tables of these names, from the session's temporary schema for `scratch_tables`."""
    names = list(names)
    relations = list(starmap(Relation, query(SCRATCH_RELATIONS if scratch_tables else RELATIONS, names, names)))
    chosen, elsewhere = _choose(relations, names)
    oids = [relation.oid for relation in chosen.values()]
    qualified = [name for name in names if "." in name]
    parts = _Parts(query, oids, qualified, with_sequence_values=not scratch_tables)
    found = {name: parts.table(name, relation) for name, relation in chosen.items()}
    return found | {name: absent(name, schemas) for name, schemas in elsewhere.items() if name not in found}


def _choose(relations: list[Relation], names: list[str]) -> tuple[dict[str, Relation], dict[str, tuple[str, ...]]]:
    """Return, by name, the relation on the search path, and the other schemas with a relation of that name."""
    wanted, chosen = set(names), {}
    elsewhere: dict[str, tuple[str, ...]] = {}
    for relation in relations:
        qualified = f"{relation.schema}.{relation.name}"
        if qualified in wanted:
            chosen[qualified] = relation
        if relation.name in wanted and relation.visible:
            chosen[relation.name] = relation
        elif relation.name in wanted and relation.kind not in KINDS_WITHOUT_ROWS:
            elsewhere[relation.name] = (*elsewhere.get(relation.name, ()), relation.schema)
    return chosen, elsewhere


class _Parts:
    """The columns, constraints and sequences of tables, by the table's oid."""

    def __init__(self, query: Query, oids: list[int], qualified: list[str], *, with_sequence_values: bool) -> None:
        self.columns: dict[int, list[Column]] = defaultdict(list)
        self.constraints: dict[int, list[Constraint]] = defaultdict(list)
        self.sequences: dict[int, list[Sequence]] = defaultdict(list)
        for column in starmap(ColumnRow, query(COLUMNS, oids)):
            self.columns[column.oid].append(rows.column(column))
        textual = {oid: rows.textual(columns) for oid, columns in self.columns.items()}
        for constraint in starmap(ConstraintRow, query(CONSTRAINTS, qualified, oids)):
            self.constraints[constraint.oid].append(rows.constraint(constraint, textual.get(constraint.oid, ())))
        families: Mapping[int, str] = dict(query(FAMILIES))
        for index in starmap(IndexRow, query(INDEXES, oids)):
            self.constraints[index.oid].append(rows.index(families, index, textual.get(index.oid, ())))
        self._read_sequences(query, oids, with_values=with_sequence_values)

    def table(self, name: str, relation: Relation) -> Table:
        """Return the table of a relation."""
        return Table(
            name=name,
            kind=KINDS[relation.kind],
            columns={column.name: column for column in self.columns[relation.oid]},
            constraints=tuple(self.constraints[relation.oid]),
            sequences=tuple(self.sequences[relation.oid]),
            unlogged=relation.persistence == "u",
            comment=relation.comment,
            bytes=relation.bytes,
            triggers=tuple(
                Trigger(trigger, is_rule=word == "rule", enabled=state == "enabled")
                for word, trigger, state in relation.triggers
            ),
            row_security=ROW_SECURITY[relation.row_security],
            fills_rows=relation.fills_rows,
        )

    def _read_sequences(self, query: Query, oids: list[int], *, with_values: bool) -> None:
        found = list(starmap(SequenceRow, query(SEQUENCES, oids, oids)))
        wanted = [row for row in found if with_values and row.increment > 0 and row.is_indexed]
        readable = [row for row in wanted if row.unreadable is None]
        unreadable = {(row.oid, row.column): row.unreadable for row in wanted}
        # The largest key first: a sequence that is read later has given every key that was seen.
        largest = _union(query, (f"max({row.quoted_column}) FROM {row.table}" for row in readable))
        coming = _union(query, (f"last_value + is_called::int FROM {row.sequence}" for row in readable))
        positions = zip(readable, zip(coming, largest, strict=True), strict=True)
        values = {(row.oid, row.column): pair for row, pair in positions}
        for row in found:
            next_value, largest_key = values.get((row.oid, row.column), (None, None))
            self.sequences[row.oid].append(
                Sequence(
                    row.sequence,
                    row.column,
                    row.last,
                    next_value,
                    largest_key,
                    unreadable.get((row.oid, row.column)),
                    descends=row.increment < 0,
                    cycles=row.cycles,
                )
            )


def _union(query: Query, selects: Iterable[str]) -> list[int | None]:
    """Return the one value of each select, read in one query."""
    numbered = [f"SELECT {number} AS n, {select}" for number, select in enumerate(selects)]
    return [value for _, value in query(" UNION ALL ".join(numbered) + " ORDER BY n")] if numbered else []
