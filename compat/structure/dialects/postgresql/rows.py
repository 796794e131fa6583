"""Turn rows of PostgreSQL's catalog into columns, constraints and indexes."""

import re
from collections.abc import Container, Iterable, Mapping

from compat.structure.constraints import (
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    IndexOptions,
    PrimaryKey,
    Unique,
)
from compat.structure.dialects.postgresql.queries import ColumnRow, ConstraintRow, IndexRow
from compat.structure.schema import AutoNumber, Column

ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT", " ": ""}
ORDERS = {0: "ASC", 1: "DESC NULLS LAST", 2: "ASC NULLS FIRST", 3: "DESC"}  # bits: 1 descending, 2 nulls first
MATCHES = {"s": "", "f": "FULL", "p": "PARTIAL", " ": ""}
CLAUSES = re.compile(r" (DEFERRABLE(?: INITIALLY DEFERRED)?|NOT VALID|NOT ENFORCED)")
CONDITION = re.compile(r"CHECK\s*\((.*)\)", re.DOTALL)
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
    auto = {"d": AutoNumber.IDENTITY, "a": AutoNumber.ALWAYS}.get(row.identity)
    generated, default = None, row.default
    if row.generated:
        generated, default = f"AS ({default}) {'STORED' if row.generated == 's' else 'VIRTUAL'}", None
    elif default and default.startswith("nextval("):
        auto, default = AutoNumber.SERIAL, None
    return Column(
        row.name, row.type, row.nullable, _plain(default, row.type), row.collation, auto, generated, row.comment,
        unvalidated=row.unvalidated,
    )  # fmt: skip


def _plain(default: str | None, type_: str) -> str | None:
    """Return a default without the cast of a literal, which may name a type that the column had earlier.

    A float is compared by value: the server keeps the zeros and the exponent with which it was written.
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
    """Return an expression without casts of strings and `textual` columns to text, which change nothing.

    The server writes them down when a constraint is created, and they outlast a change of the column's type.
    """

    def plain(match: re.Match[str]) -> str:
        column = match["column"]
        if column is None:
            return match["inner"] or match["string"]
        return column if _unquoted(column) in textual else match[0]

    return ARRAY_CAST.sub(r"\1", TEXT_CAST.sub(plain, expression))


def constraint(row: ConstraintRow, textual: Container[str]) -> Constraint:
    """Return the constraint that a row describes; `textual` names the table's columns of text."""
    clauses = CLAUSES.findall(row.definition)
    deferrable = next((clause for clause in clauses if clause.startswith("DEFERRABLE")), "")
    columns, enforced = tuple(row.columns), "NOT ENFORCED" not in clauses
    if row.type == "f":
        return _foreign_key(row, deferrable, enforced=enforced)
    if row.type in ("p", "u"):
        return _key(row, deferrable)
    clause = without_casts(CLAUSES.sub("", row.definition), textual)
    if row.type == "x":
        return Exclusion(row.name, columns, row.definition, clause=clause, deferrable=deferrable)
    found = CONDITION.search(row.definition)
    condition = found[1] if found else ""
    return Check(row.name, (), row.definition, "", clause, condition, validated=row.valid, enforced=enforced)


def _key(row: ConstraintRow, deferrable: str) -> PrimaryKey | Unique:
    found = INCLUDING.search(row.definition)
    including = tuple(found[1].split(", ")) if found else ()
    if row.type == "p":
        return PrimaryKey(
            row.name, tuple(row.columns), row.definition, including=including, deferrable=deferrable
        )  # fmt: skip
    return Unique(
        row.name,
        tuple(row.columns),
        row.definition,
        including=including,
        nulls_not_distinct="NULLS NOT DISTINCT" in row.definition,
        is_index=False,
        deferrable=deferrable,
    )


def _foreign_key(row: ConstraintRow, deferrable: str, *, enforced: bool) -> ForeignKey:
    return ForeignKey(
        row.name,
        tuple(row.columns),
        row.definition,
        target_table=row.target or "",
        target_columns=tuple(row.target_columns),
        on_delete=ACTIONS[row.on_delete],
        on_update=ACTIONS[row.on_update],
        match=MATCHES[row.match],
        deferrable=deferrable,
        validated=row.valid,
        enforced=enforced,
        enabling=tuple(row.enabling),
    )


def index(families: Mapping[int, str], row: IndexRow, textual: Container[str]) -> Constraint:
    """Return the index that a row describes; `families` names the operator classes that are not the default."""
    operators = [families.get(oid, "") for oid in row.classes]
    options = IndexOptions(
        method="" if row.method == "btree" else row.method,
        order=", ".join(ORDERS[bits] for bits in row.order) if any(row.order) else "",
        operators=", ".join(operators) if any(operators) else "",
        collations=", ".join(row.collations) if any(row.collations) else "",
        storage=row.options or "",
        for_like=operators == ["text_pattern_ops"],
    )
    columns = tuple(_unquoted(without_casts(column, textual)) for column in row.columns[: row.keys])
    including = tuple(row.columns[row.keys :])
    condition = without_casts(row.predicate or "", textual)
    if not row.unique:
        return Index(row.name, columns, row.definition, "", condition, including, options, row.valid)
    return Unique(
        row.name,
        columns,
        row.definition,
        condition=condition,
        including=including,
        nulls_not_distinct=row.nulls_not_distinct,
        options=options,
        is_index=True,
        valid=row.valid,
    )


def _unquoted(column: str) -> str:
    return column[1:-1].replace('""', '"') if QUOTED.match(column) else column
