"""Turn rows of PostgreSQL's catalog into columns and rules."""

import re
from collections.abc import Container, Iterable, Mapping

from django.utils.translation import gettext_noop

from compat.structure.backends.postgresql.queries import ColumnRow, ConstraintRow, IndexRow
from compat.structure.findings import Kind
from compat.structure.snapshot import Column, Rule

RULE_KINDS = {
    "p": Kind.PRIMARY_KEY, "u": Kind.UNIQUE, "c": Kind.CHECK, "f": Kind.FOREIGN_KEY, "x": Kind.EXCLUSION,
}  # fmt: skip
ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT", " ": ""}
ORDERS = {0: "ASC", 1: "DESC NULLS LAST", 2: "ASC NULLS FIRST", 3: "DESC"}  # bits: 1 descending, 2 nulls first
MATCHES = {"s": "", "f": "FULL", "p": "PARTIAL", " ": ""}
TIMING = re.compile(r" (DEFERRABLE(?: INITIALLY DEFERRED)?|NOT VALID|NOT ENFORCED)")
IDLE = gettext_noop("not enforced, for its triggers are disabled")
INCLUDING = re.compile(r"INCLUDE \(([^)]*)\)")
QUOTED = re.compile(r'^"(?:[^"]|"")+"$')
STRING = r"'(?:[^']|'')*'"
TEXT = r"::(?:text|character varying)(?![\w(])"
TEXT_CAST = re.compile(
    rf"\((?P<inner>{STRING}){TEXT}\){TEXT}|(?P<string>{STRING})(?:{TEXT}(?!\[))?"
    rf'|\((?P<column>"(?:[^"]|"")+"|[a-z_][\w$]*)\){TEXT}(?!\[)'
)
ARRAY_CAST = re.compile(rf"\((ARRAY\[(?:{STRING}|[^\]'])*\])\){TEXT}\[\]")
FLOATS = frozenset(("double precision", "real"))
NUMBER = re.compile(r"^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?$")
LITERAL = re.compile(r"^('(?:[^']|'')*')::[\w\s.\"\[\]]+(?:\([\d,]+\))?$")


def column(row: ColumnRow) -> Column:
    """Return the column that a row describes."""
    auto = {"d": "identity", "a": "always"}.get(row.identity)
    generated, default = None, row.default
    if row.generated:
        generated, default = f"AS ({default}) {'STORED' if row.generated == 's' else 'VIRTUAL'}", None
    elif default and default.startswith("nextval("):
        auto, default = "serial", None
    return Column(
        row.name, row.type, row.nullable, _plain(default, row.type), row.collation, auto, generated, row.comment,
        unvalidated=row.unvalidated,
    )  # fmt: skip


def _plain(default: str | None, type_: str) -> str | None:
    """Return a default without the cast of a literal, which keeps a type that the column had earlier.

    The server writes a float as it was given, with all its zeros, or with an exponent: the value counts.
    """
    if default is None or default.startswith("NULL::"):
        return None
    literal = LITERAL.match(default)
    text = literal[1] if literal else default
    if type_ in FLOATS and NUMBER.match(text.strip("'")):
        return repr(float(text.strip("'")))
    return text


def textual(columns: Iterable[Column]) -> frozenset[str]:
    """Return the names of the columns that hold text, of whatever length."""
    return frozenset(column.name for column in columns if column.type.startswith(("text", "character varying")))


def without_casts(expression: str, textual: Container[str]) -> str:
    """Return an expression without the casts that change nothing: of strings and `textual` columns to text.

    They are written down when a rule is made, and stay or go when a column is retyped from one to the other.
    """

    def plain(match: re.Match[str]) -> str:
        column = match["column"]
        if column is None:
            return match["inner"] or match["string"]
        return column if _unquoted(column) in textual else match[0]

    return ARRAY_CAST.sub(r"\1", TEXT_CAST.sub(plain, expression))


def constraint(row: ConstraintRow, textual: Container[str]) -> Rule:
    """Return the constraint that a row describes; `textual` names the table's columns of text."""
    kind = RULE_KINDS[row.type]
    clauses = TIMING.findall(row.definition)
    enforced = "NOT ENFORCED" if "NOT ENFORCED" in clauses else IDLE if row.enabling else ""
    flags = {
        "timing": next((clause for clause in clauses if clause.startswith("DEFERRABLE")), ""),
        "state": "" if row.valid or enforced == "NOT ENFORCED" else "NOT VALID",
        "enforced": enforced,
        "form": gettext_noop("constraint") if kind is Kind.UNIQUE else "",
    }
    columns = () if kind is Kind.CHECK else tuple(row.columns)
    meaning = _pairs(_meaning(kind, row, textual))
    return Rule(kind, row.name, columns, meaning, _pairs(flags), row.definition, enabling=tuple(row.enabling))


def _meaning(kind: Kind, row: ConstraintRow, textual: Container[str]) -> Mapping[str, str]:
    if kind is Kind.FOREIGN_KEY:
        return {
            "to": f"{row.target} ({', '.join(row.target_columns)})",
            "on delete": ACTIONS[row.on_delete],
            "on update": ACTIONS[row.on_update],
            "match": MATCHES[row.match],
        }
    if kind in (Kind.PRIMARY_KEY, Kind.UNIQUE):
        including = INCLUDING.search(row.definition)
        nulls = "NOT DISTINCT" if "NULLS NOT DISTINCT" in row.definition else ""
        return {"including": including[1] if including else "", "nulls": nulls}
    return {"": without_casts(TIMING.sub("", row.definition), textual)}


def index(families: Mapping[int, str], row: IndexRow, textual: Container[str]) -> Rule:
    """Return the index that a row describes; `families` names the operator classes that are no default."""
    operators = [families.get(oid, "") for oid in row.classes]
    traits = {
        "using": "" if row.method == "btree" else row.method,
        "ordered": ", ".join(ORDERS[bits] for bits in row.order) if any(row.order) else "",
        "operators": ", ".join(operators) if any(operators) else "",
        "collated": ", ".join(row.collations) if any(row.collations) else "",
        "including": ", ".join(row.columns[row.keys :]),
        "where": without_casts(row.predicate or "", textual),
        "with": row.options or "",
        "nulls": "NOT DISTINCT" if row.nulls_not_distinct else "",
    }
    flags = {"state": "" if row.valid else "INVALID", "form": "index" if row.unique else ""}
    kind = Kind.UNIQUE if row.unique else Kind.INDEX
    keys = tuple(_unquoted(without_casts(column, textual)) for column in row.columns[: row.keys])
    return Rule(kind, row.name, keys, _pairs(traits), _pairs(flags), row.definition)


def _unquoted(column: str) -> str:
    return column[1:-1].replace('""', '"') if QUOTED.match(column) else column


def _pairs(words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in sorted(words.items()) if value)
