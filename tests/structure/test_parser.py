"""SQLite's CREATE statements are parsed into typed constraints."""

import pytest

from compat.structure.constraints import Check, ForeignKey, PrimaryKey, Unique
from compat.structure.dialects.sqlite.parser import parse_index, parse_table


def parsed(*items):
    """Return the definition of a table with these columns and constraints."""
    return parse_table(f"CREATE TABLE t ({', '.join(items)})")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("id integer PRIMARY KEY AUTOINCREMENT", {"type": "integer", "autoincrement": True}),
        ('"Name" varchar ( 20 ) NOT NULL', {"name": "Name", "type": "varchar(20)", "not_null": True}),
        ("n integer DEFAULT -1", {"default": "-1"}),
        ("n integer DEFAULT (1 + 2)", {"default": "1 + 2"}),
        ("n integer NOT NULL ON CONFLICT IGNORE", {"not_null": False}),
        ("n text COLLATE NOCASE", {"collation": "nocase"}),
        ("n integer GENERATED ALWAYS AS (a * 2) STORED", {"generated": "AS (a * 2) STORED"}),
        ("n integer AS (a * 2)", {"generated": "AS (a * 2) VIRTUAL"}),
        ("n", {"type": ""}),
    ],
)
def test_column(sql, expected):
    (column,) = parsed(sql).columns
    assert {name: getattr(column, name) for name in expected} == expected


CONSTRAINTS = [
    ("PRIMARY KEY (a, b)", PrimaryKey("", ("a", "b"))),
    ("CONSTRAINT Key_1 UNIQUE (a) ON CONFLICT REPLACE", Unique("Key_1", ("a",), on_conflict="REPLACE")),
    ("CHECK (A > 'A')", Check("", clause="CHECK (a > 'A')", condition="A > 'A'")),
    (
        'FOREIGN KEY (a) REFERENCES "P" (id) ON DELETE SET NULL ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED',
        ForeignKey(
            "",
            ("a",),
            target_table="p",
            target_columns=("id",),
            on_delete="SET NULL",
            deferrable="DEFERRABLE INITIALLY DEFERRED",
        ),
    ),
    ("FOREIGN KEY (a) REFERENCES p", ForeignKey("", ("a",), target_table="p")),
]


@pytest.mark.parametrize(("sql", "expected"), CONSTRAINTS, ids=[sql for sql, _ in CONSTRAINTS])
def test_constraint(sql, expected):
    (constraint,) = parsed("a", sql).constraints
    assert (constraint.signature, constraint.state()) == (expected.signature, expected.state())
    assert (constraint.name, constraint.definition) == (expected.name, sql)
    assert getattr(constraint, "condition", "") == getattr(expected, "condition", "")


def test_the_constraints_of_a_column_belong_to_it():
    (column,) = parsed("a integer UNIQUE CHECK (a > 0) REFERENCES p (id)").columns
    assert [type(item) for item in column.constraints] == [Unique, Check, ForeignKey]
    assert {item.inline_column for item in column.constraints} == {"a"}
    assert column.constraints[2].definition == 'FOREIGN KEY ("a") REFERENCES p (id)'


def test_what_follows_the_columns_is_kept():
    assert parse_table("CREATE TABLE t (a text) STRICT, WITHOUT ROWID").suffix == "STRICT, WITHOUT ROWID"


def test_commas_and_parentheses_in_names_and_strings():
    table = parsed("\"a, (b\" text DEFAULT 'x, (y'", "`c` text")
    assert [column.name for column in table.columns] == ["a, (b", "c"]


def test_index():
    assert parse_index("CREATE INDEX i ON t (a ASC, lower(b) DESC) WHERE (a > 1)") == (
        ("a", "lower ( b ) desc"),
        "a > 1",
    )


@pytest.mark.parametrize("sql", ["CREATE TABLE t", "CREATE TABLE t (a", "CREATE TABLE t (a CHECK x)"])
def test_what_cannot_be_parsed_is_an_error(sql):
    with pytest.raises(ValueError, match=r"."):
        parse_table(sql)
