"""Read SQLite's schema table: two queries, however many tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext, gettext_noop

from compat.structure.backends.sqlite.lexer import tokens
from compat.structure.backends.sqlite.parser import Parsed, ParsedColumn, parse_index, parse_table
from compat.structure.findings import Kind
from compat.structure.snapshot import Column, Rule, Table

VIRTUAL = gettext_noop("virtual table")
Query = Callable[..., list[tuple[Any, ...]]]

LITERALS = {"null": None, "true": "1", "false": "0"}
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
COLUMNS = "SELECT m.name, x.name FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table'"


def read(query: Query, names: Iterable[str] | None = None) -> Mapping[str, Table]:
    """Return the tables of these names; without names all."""
    objects = query(SCHEMA)
    indexes: dict[str, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    dependents = _dependents(objects)
    triggers: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for type_, name, table, sql in objects:
        if type_ == "trigger":
            triggers[table.casefold()] += (f"trigger {name}",)
        if type_ == "index":
            indexes[table.casefold()] += ((name, sql),)
    columns = defaultdict(set)
    for table, column in query(COLUMNS):
        columns[table.casefold()].add(column.casefold())
    stored = {name.casefold(): (type_, sql) for type_, name, _, sql in objects if type_ in ("table", "view")}
    found = {}
    for name in stored if names is None else names:
        key = name.casefold()
        if key in stored:
            type_, sql = stored[key]
            table = _readable(name, type_, sql, indexes[key], frozenset(columns[key]), dependents.get(key, ()))
            rules = tuple(_with_target(item, stored) for item in table.rules)
            found[name] = replace(table, rules=rules, triggers=triggers.get(key, ()))
    return found


def _with_target(item: Rule, stored: Mapping[str, tuple[str, str]]) -> Rule:
    """Return a foreign key that names no columns with those that it means: the target's primary key."""
    target = dict(item.traits).get("to", "")
    if item.kind is not Kind.FOREIGN_KEY or not target.endswith(" ()"):
        return item
    name = target.removesuffix(" ()")
    type_, sql = stored.get(name, ("", ""))
    try:
        keys = parse_table(sql).primary_key() if type_ == "table" else ()
    except ValueError:
        keys = ()
    traits = {**dict(item.traits), "to": f"{name} ({', '.join(keys)})"}
    return replace(item, traits=tuple(sorted(traits.items())))


def _dependents(objects: Iterable[tuple[Any, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Return the views and triggers that name each table."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for type_, name, _, sql in objects:
        if type_ in ("view", "trigger"):
            for word in {token.text for token in tokens(sql)}:
                found[word] = (*found[word], f"{type_} {name}")
    return found


def _readable(name: str, *parts: Any) -> Table:
    try:
        return _table(name, *parts)
    except (ValueError, IndexError) as error:
        reason = gettext("its definition cannot be read (%(error)s)") % {"error": error}
        return Table(name, unreadable=reason)


@lru_cache(maxsize=4096)  # both sides mostly hold the same text
def _table(
    name: str,
    type_: str,
    sql: str,
    indexes: tuple[tuple[str, str], ...],
    columns: frozenset[str],
    dependents: tuple[str, ...],
) -> Table:
    if type_ == "view":
        return Table(name, "view")
    if sql.casefold().startswith("create virtual table "):  # SQLite writes these words itself
        return Table(name, VIRTUAL, columns={column: Column(column, "", nullable=True) for column in columns})
    parsed = parse_table(sql)
    rules = [rule(name, item) for column in parsed.columns for item in column.rules]
    rules += [rule(name, item) for item in parsed.rules]
    rules += [index(*item) for item in indexes]
    keys = next((item.columns for item in rules if item.kind is Kind.PRIMARY_KEY), ())
    found = {item.name.casefold(): column(item, keys) for item in parsed.columns}
    if columns and set(found) != columns:
        raise ValueError(gettext("it gives other columns than the table has"))
    return Table(name, columns=found, rules=tuple(rules), dependents=dependents, suffix=parsed.suffix)


def column(parsed: ParsedColumn, keys: tuple[str, ...]) -> Column:
    """Return a parsed column; a column of the primary key counts as NOT NULL where SQLite makes it so."""
    rowid = keys == (parsed.name.casefold(),) and parsed.type == "integer"
    return Column(
        name=parsed.name,
        type=parsed.type,
        nullable=not (parsed.not_null or rowid),
        default=LITERALS.get(parsed.default or "", parsed.default),
        collation=None if parsed.collation == "binary" else parsed.collation,
        auto="autoincrement" if parsed.autoincrement else None,
        generated=parsed.generated,
        definition=parsed.source,
    )


def rule(table: str, parsed: Parsed) -> Rule:
    """Return a parsed constraint; a nameless one is named after its table and columns."""
    columns = parsed.columns or ((parsed.home,) if parsed.home else ())
    name = parsed.name or "_".join((table, *columns, parsed.kind.value))
    flags = (("timing", parsed.timing),) if parsed.timing else ()
    return Rule(parsed.kind, name, parsed.columns, parsed.traits, flags, parsed.source, parsed.home)


def index(name: str, sql: str) -> Rule:
    """Return the index that a statement creates. Raises ValueError."""
    keys, condition = parse_index(sql)
    kind = Kind.UNIQUE if sql.casefold().startswith("create unique index ") else Kind.INDEX
    return Rule(kind, name, keys, (("where", condition),) if condition else (), (), sql)
