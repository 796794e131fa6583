"""Read SQLite's schema table with two queries, however many tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from compat.database.files import database_file
from compat.structure.build import Creation, creations
from compat.structure.constraints import Constraint, ForeignKey, Index, PrimaryKey, Unique
from compat.structure.dialects.base import Introspection
from compat.structure.dialects.sqlite.lexer import tokens
from compat.structure.dialects.sqlite.memory import in_memory
from compat.structure.dialects.sqlite.parser import ParsedColumn, parse_index, parse_table
from compat.structure.errors import Unverifiable
from compat.structure.project import ModelTable
from compat.structure.schema import AutoNumber, Column, Dependent, RelationKind, Snapshot, Table, Trigger

Query = Callable[..., list[tuple[Any, ...]]]
LITERALS = {"null": None, "true": "1", "false": "0"}
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
COLUMNS = "SELECT m.name, x.name FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table'"


class SQLiteIntrospection(Introspection):
    """The expected tables are created in a database in memory."""

    def connect(self) -> None:
        file = database_file(self.connection)
        if file is not None and not file.parent.is_dir():
            text = _(
                "The database %(alias)s cannot be reached: there is no folder %(folder)s. "
                "Create it, or correct the name of the database."
            )
            raise Unverifiable(text % {"alias": self.connection.alias, "folder": file.parent})
        super().connect()

    def expected(self, tables: Iterable[ModelTable]) -> Snapshot:
        tables = tuple(tables)
        with in_memory(self.connection) as scratch, scratch.cursor() as cursor:
            failed = _create(cursor, creations(scratch, tables).values())

            def query(sql: str) -> list[tuple[Any, ...]]:
                cursor.execute(sql)
                return list(cursor.fetchall())

            return {**read(query, [table.table for table in tables]), **failed}

    def actual(self, names: Iterable[str]) -> Snapshot:
        return read(self.rows, names)

    def creation(self, table: ModelTable) -> Creation:
        with in_memory(self.connection) as scratch:
            return creations(scratch, [table])[table.table]

    def size_bytes(self, table: Table) -> int:
        file = database_file(self.connection)
        return file.stat().st_size if file is not None and file.exists() else 0


def _create(cursor: Any, built: Iterable[Creation]) -> dict[str, Table]:
    """Create the tables; return those that this SQLite cannot create, with the reason."""
    failed = {}
    for creation in built:
        try:
            for sql in creation.create + creation.later:
                cursor.execute(sql)
        except DatabaseError as error:
            failed[creation.table] = Table(creation.table, unreadable=str(error))
    return failed


def read(query: Query, names: Iterable[str]) -> Snapshot:
    """Return the existing tables of these names."""
    objects = query(SCHEMA)
    indexes: dict[str, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    triggers: dict[str, tuple[Trigger, ...]] = defaultdict(tuple)
    for type_, name, table, sql in objects:
        if type_ == "trigger":
            triggers[table.casefold()] += (Trigger(name),)
        if type_ == "index":
            indexes[table.casefold()] += ((name, sql),)
    columns = defaultdict(set)
    for table, column_name in query(COLUMNS):
        columns[table.casefold()].add(column_name.casefold())
    stored = {name.casefold(): (type_, sql) for type_, name, _on, sql in objects if type_ in ("table", "view")}
    dependents = _dependents(objects)
    found = {}
    for name in names:
        key = name.casefold()
        if key in stored:
            item = _readable(name, *stored[key], indexes[key], frozenset(columns[key]), dependents.get(key, ()))
            constraints = tuple(_with_target_columns(constraint, stored) for constraint in item.constraints)
            found[name] = replace(item, constraints=constraints, triggers=triggers.get(key, ()))
    return found


def _with_target_columns(constraint: Constraint, stored: Mapping[str, tuple[str, str]]) -> Constraint:
    """Return a foreign key that names no target columns with those that it means: the target's primary key."""
    if not isinstance(constraint, ForeignKey) or constraint.target_columns:
        return constraint
    type_, sql = stored.get(constraint.target_table, ("", ""))
    try:
        keys = parse_table(sql).primary_key() if type_ == "table" else ()
    except ValueError:
        keys = ()
    return replace(constraint, target_columns=keys)


def _dependents(objects: Iterable[tuple[Any, ...]]) -> Mapping[str, tuple[Dependent, ...]]:
    """Return the views and triggers that name each table."""
    found: dict[str, tuple[Dependent, ...]] = defaultdict(tuple)
    for type_, name, _on, sql in objects:
        if type_ in ("view", "trigger"):
            for word in {token.text for token in tokens(sql)}:
                found[word] = (*found[word], Dependent(name, is_view=type_ == "view"))
    return found


def _readable(name: str, *parts: Any) -> Table:
    try:
        return _table(name, *parts)
    except (ValueError, IndexError) as error:
        return Table(name, unreadable=_("its definition cannot be read (%(error)s)") % {"error": error})


@lru_cache(maxsize=4096)  # both sides mostly have the same text
def _table(
    name: str,
    type_: str,
    sql: str,
    indexes: tuple[tuple[str, str], ...],
    column_names: frozenset[str],
    dependents: tuple[Dependent, ...],
) -> Table:
    if type_ == "view":
        return Table(name, RelationKind.VIEW)
    if sql.casefold().startswith("create virtual table "):  # SQLite writes these words itself
        untyped = {column: Column(column, "", nullable=True) for column in column_names}
        return Table(name, RelationKind.VIRTUAL_TABLE, columns=untyped)
    parsed = parse_table(sql)
    constraints = [_named(name, item) for item in parsed.all_constraints()]
    constraints += [read_index(*item) for item in indexes]
    keys = next((item.columns for item in constraints if isinstance(item, PrimaryKey)), ())
    columns = {item.name.casefold(): _column(item, keys) for item in parsed.columns}
    if column_names and set(columns) != column_names:
        raise ValueError(_("it has other columns than the table"))
    return Table(
        name, columns=columns, constraints=tuple(constraints), dependents=dependents, suffix=parsed.suffix
    )  # fmt: skip


def _column(parsed: ParsedColumn, keys: tuple[str, ...]) -> Column:
    """Return a parsed column; a column of the primary key counts as NOT NULL where SQLite makes it so."""
    is_rowid = keys == (parsed.name.casefold(),) and parsed.type == "integer"
    return Column(
        name=parsed.name,
        type=parsed.type,
        nullable=not (parsed.not_null or is_rowid),
        default=LITERALS.get(parsed.default or "", parsed.default),
        collation=None if parsed.collation == "binary" else parsed.collation,
        auto=AutoNumber.AUTOINCREMENT if parsed.autoincrement else None,
        generated=parsed.generated,
        definition=parsed.definition,
    )


def _named(table: str, constraint: Constraint) -> Constraint:
    """Return a constraint with a name: without one of its own it is named after table, columns and kind."""
    columns = constraint.columns or ((constraint.inline_column,) if constraint.inline_column else ())
    return replace(constraint, name=constraint.name or "_".join((table, *columns, constraint.kind)))


def read_index(name: str, sql: str) -> Constraint:
    """Return the index that a statement creates. Raises ValueError."""
    keys, condition = parse_index(sql)
    if sql.casefold().startswith("create unique index "):
        return Unique(name, keys, sql, condition=condition)
    return Index(name, keys, sql, condition=condition)
