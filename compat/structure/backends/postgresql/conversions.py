"""The expressions that convert a column to another type, and that find the values which would not survive it."""

import re

TEXTUAL = re.compile(r"^(?:text|character varying(?:\(\d+\))?|character\(\d+\))$")
MOMENT = re.compile(r"^timestamp(?:\(\d\))? (with|without) time zone$")
# What a text says beyond the value that it is read as: a time after a date, a date before a time, a zone, a digit.
MORE_THAN_READ = {
    "date": "{name}::timestamp IS DISTINCT FROM {name}::{new}::timestamp",
    "time": "{name}::interval IS DISTINCT FROM {name}::{new}::interval",
    "timestamp without": "{name}::timestamptz IS DISTINCT FROM {name}::{new}::timestamptz",
    "timestamp with": "{name}::timestamptz IS DISTINCT FROM {name}::{new}",
    "numeric": "{name}::numeric IS DISTINCT FROM {name}::{new}::numeric",
    "double precision": "{name}::numeric IS DISTINCT FROM {name}::{new}::numeric",
    "real": "{name}::numeric IS DISTINCT FROM {name}::{new}::numeric",
    "uuid": "{name}::{new} IS NULL AND {name} IS NOT NULL",
    "boolean": "{name}::{new} IS NULL AND {name} IS NOT NULL",
    "inet": "{name}::{new} IS NULL AND {name} IS NOT NULL",
}
# jsonb keeps one of several equal keys: the number of values tells.
VALUES = (
    "(WITH RECURSIVE part(v) AS (SELECT {value} UNION ALL SELECT inner_part.value FROM part, LATERAL ("
    "SELECT value FROM json_each(CASE json_typeof(v) WHEN 'object' THEN v END) UNION ALL "
    "SELECT value FROM json_array_elements(CASE json_typeof(v) WHEN 'array' THEN v END)) inner_part) "
    "SELECT count(*) FROM part)"
)


def converted(name: str, old: str, new: str, zone: str) -> str:
    """Return the expression for a column's value as `new`; a moment without a zone is one in the zone `zone`."""
    one, other = MOMENT.match(old), MOMENT.match(new)
    moved = f"{name} AT TIME ZONE '{zone}'" if one and other and one[1] != other[1] else name
    return f"({moved})::{new}" if moved != name else f"{name}::{new}"


def changed_values(name: str, old: str, new: str, zone: str) -> str:
    """Return the condition that finds the values of a column which would not come back from `new` as they are.

    Compared as text, so that neither a collation nor an equality that overlooks something (intervals, shapes)
    hides a change; numbers are compared as numbers, for 1.50 is 1.5.
    """
    if new == "jsonb" and (old == "json" or TEXTUAL.match(old)):
        return f"{VALUES.format(value=f'{name}::json')} <> {VALUES.format(value=f'{name}::jsonb::json')}"
    if TEXTUAL.match(old) and (reading := _reading(new)):
        return reading.format(name=name, new=new)
    back = converted(converted(name, old, new, zone), new, old, zone)
    if old.startswith("numeric") and not old.endswith("[]"):
        return f"{back} IS DISTINCT FROM {name}"
    return f'({back})::text COLLATE "C" IS DISTINCT FROM {name}::text COLLATE "C"'


def _reading(new: str) -> str | None:
    plain = re.sub(r"\([\d,]+\)", "", new).removesuffix(" time zone")
    return MORE_THAN_READ.get("time" if plain == "time without" else plain)
