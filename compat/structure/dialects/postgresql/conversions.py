"""The expressions that convert a column to another type, and those that find values which would not survive it."""

import re

TEXTUAL = re.compile(r"^(?:text|character varying(?:\(\d+\))?|character\(\d+\))$")
TIMESTAMP = re.compile(r"^timestamp(?:\(\d\))? (with|without) time zone$")
# Conditions for a text whose cast drops information: a time after a date, a date before a time, a zone, a digit.
TEXT_LOSSES = {
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
# jsonb keeps only one of several equal keys, so that the number of values changes.
VALUES = (
    "(WITH RECURSIVE part(v) AS (SELECT {value} UNION ALL SELECT inner_part.value FROM part, LATERAL ("
    "SELECT value FROM json_each(CASE json_typeof(v) WHEN 'object' THEN v END) UNION ALL "
    "SELECT value FROM json_array_elements(CASE json_typeof(v) WHEN 'array' THEN v END)) inner_part) "
    "SELECT count(*) FROM part)"
)


def converted(name: str, old: str, new: str, zone: str) -> str:
    """Return the expression for a column's value as `new`; a timestamp without a zone is in the zone `zone`."""
    one, other = TIMESTAMP.match(old), TIMESTAMP.match(new)
    moved = f"{name} AT TIME ZONE '{zone}'" if one and other and one[1] != other[1] else name
    return f"({moved})::{new}" if moved != name else f"{name}::{new}"


def changed_values(name: str, old: str, new: str, zone: str) -> str:
    """Return the condition that finds the values of a column which would not come back from `new` as they are.

    Values are compared as text, so that neither a collation nor a type whose equality ignores differences
    (intervals, shapes) hides a change. Numbers are compared as numbers because 1.50 equals 1.5.
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
    return TEXT_LOSSES.get("time" if plain == "time without" else plain)
