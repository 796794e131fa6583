"""What differs between two tables, without a database: code and object of each finding."""

from dataclasses import replace

import pytest

from compat.structure.comparison import compare_unmanaged
from compat.structure.constraints import Check, ForeignKey, Index, PrimaryKey, Unique
from compat.structure.schema import (
    AutoNumber,
    Column,
    RelationKind,
    RowSecurity,
    Sequence,
    Trigger,
    absent,
)
from tests.structure.tables import TYPES, found, table

TEXT = Column("c", "text", nullable=False)
KEY = Column("id", "bigint", nullable=False, auto=AutoNumber.IDENTITY)
KEYS = Sequence("t_id_seq", "id", 2**63 - 1, next_value=10, largest_key=9)
REFERENCE = ForeignKey("k", ("c",), target_table="p", target_columns=("id",))
CASCADE = replace(REFERENCE, name="x", on_delete="CASCADE")


def test_equal_tables_have_no_findings():
    one = table(KEY, TEXT, constraints=(PrimaryKey("p", ("id",)), REFERENCE), sequences=(KEYS,))
    assert found(one, one) == []


COLUMNS = [
    (replace(TEXT, type="integer"), "compat.E006"),
    (replace(TEXT, nullable=True), "compat.E007"),
    (replace(TEXT, unvalidated="later"), "compat.W007"),
    (replace(TEXT, default="'x'"), "compat.I008"),
    (replace(TEXT, collation="C"), "compat.I009"),
    (replace(TEXT, generated="AS (upper(d)) STORED"), "compat.E010"),
    (replace(TEXT, comment="x"), "compat.I020"),
]


@pytest.mark.parametrize(("actual", "code"), COLUMNS, ids=[code for _, code in COLUMNS])
def test_column(actual, code):
    assert found(table(TEXT), table(actual)) == [(code, "c")]


@pytest.mark.parametrize(
    ("expected", "actual", "code"),
    [
        ("varchar", "text", "compat.E006"),
        ("character varying(5)", "character varying(9)", "compat.W006"),
        ("integer", "bigint", "compat.W006"),
        ("bigint", "integer", "compat.E006"),
    ],
)
def test_type(expected, actual, code):
    assert found(table(replace(TEXT, type=expected)), table(replace(TEXT, type=actual))) == [(code, "c")]


def test_a_wrong_expression_hides_the_nullability_of_a_generated_column():
    actual = replace(TEXT, nullable=True, generated="AS (x) STORED")
    assert found(table(TEXT), table(actual)) == [("compat.E010", "c")]


def test_missing_and_extra_columns():
    needed = Column("x", "integer", nullable=False)
    assert found(table("id", TEXT), table("id", needed)) == [("compat.E003", "c"), ("compat.E004", "x")]
    assert found(table("id"), table("id", "x")) == [("compat.I004", "x")]
    assert found(table("id"), table("id", needed, fills_rows=True)) == [("compat.I004", "x")]


@pytest.mark.parametrize(
    ("auto", "expected"), [(None, ["compat.E011"]), (AutoNumber.ALWAYS, ["compat.E011"]), (AutoNumber.SERIAL, [])]
)
def test_numbering(auto, expected):
    assert [code for code, _ in found(table(KEY), table(replace(KEY, auto=auto)))] == expected


SEQUENCES = [
    (replace(KEYS, next_value=9), "compat.E012"),
    (replace(KEYS, descends=True), "compat.E012"),
    (replace(KEYS, next_value=100, last_possible=99), "compat.E012"),
    (replace(KEYS, last_possible=2**31 - 1), "compat.W012"),
    (replace(KEYS, cycles=True), "compat.W012"),
    (replace(KEYS, unreadable="t", next_value=None, largest_key=None), "compat.W022"),
    (replace(KEYS, unreadable="t_id_seq", next_value=None, largest_key=None), "compat.I022"),
]


@pytest.mark.parametrize(("actual", "code"), SEQUENCES)
def test_sequence(actual, code):
    assert found(table(KEY, sequences=(KEYS,)), table(KEY, sequences=(actual,))) == [(code, "id")]


CONSTRAINTS = [
    (PrimaryKey("p", ("a", "b")), None, "compat.E013"),
    (PrimaryKey("p", ("a", "b")), PrimaryKey("p", ("b", "a")), "compat.W013"),
    (PrimaryKey("p", ("a", "b")), PrimaryKey("p", ("a",)), "compat.E013"),
    (REFERENCE, None, "compat.E014"),
    (REFERENCE, replace(REFERENCE, target_table="q"), "compat.E014"),
    (REFERENCE, replace(REFERENCE, validated=False), "compat.W014"),
    (REFERENCE, replace(REFERENCE, enforced=False), "compat.E014"),
    (REFERENCE, replace(REFERENCE, enabling=("ALTER TABLE t ENABLE TRIGGER x;",)), "compat.E014"),
    (None, REFERENCE, "compat.I014"),
    (Unique("u", ("a",)), None, "compat.E015"),
    (Unique("u", ("a",)), Unique("u", ("a",), nulls_not_distinct=True), "compat.E015"),
    (Unique("u", ("a",), is_index=False), Unique("u", ("a",), is_index=True), "compat.W015"),
    (Unique("u", ("a",)), Unique("u", ("a",), valid=False), "compat.E015"),
    (Check("x", clause="CHECK (a > 0)"), Check("x", clause="CHECK (a > 1)"), "compat.E016"),
    (Check("x", clause="CHECK (a > 0)"), Check("x", clause="CHECK (a > 0)", validated=False), "compat.W016"),
    (Index("i", ("a",)), None, "compat.W018"),
    (Index("i", ("a",)), Index("i", ("b",)), "compat.W018"),
    (None, Index("i", ("a",)), "compat.I018"),
]


@pytest.mark.parametrize(("expected", "actual", "code"), CONSTRAINTS)
def test_constraint(expected, actual, code):
    both = [table("a", "b", constraints=(item,) if item else ()) for item in (expected, actual)]
    assert [name for name, _ in found(*both)] == [code]


def test_a_second_foreign_key_that_cascades_is_a_warning():
    expected, actual = table("c", constraints=(REFERENCE,)), table("c", constraints=(REFERENCE, CASCADE))
    assert found(expected, actual) == [("compat.W014", "x")]


def test_what_cannot_be_compared_has_one_finding():
    expected = table(TEXT, constraints=(Index("i", ("c",)),))
    assert found(expected, absent("t", ("other",))) == [("compat.E001", "t")]
    assert found(expected, table(kind=RelationKind.VIEW)) == [("compat.E002", "t")]
    assert found(expected, table(kind=RelationKind.VIRTUAL_TABLE)) == [("compat.I002", "t")]
    assert found(expected, table(unreadable="broken")) == [("compat.W022", "t")]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"unlogged": True}, "compat.E019"),
        ({"triggers": (Trigger("x"),)}, "compat.I023"),
        ({"row_security": RowSecurity.HIDES_ALL}, "compat.E024"),
        ({"row_security": RowSecurity.BY_POLICY}, "compat.I024"),
    ],
)
def test_table(parts, code):
    assert [name for name, _ in found(table("c"), table("c", **parts))] == [code]


def test_an_unmanaged_table_has_only_information():
    expected = {"t": table("a", TEXT), "u": table("a", name="u")}
    actual = {"t": table("a", "x", constraints=(Index("i", ("a",)),))}
    findings = compare_unmanaged(expected, actual, TYPES)
    assert [(finding.code, finding.object) for finding in findings] == [("compat.I003", "c"), ("compat.I001", "u")]
