"""Constraints are paired by meaning, then by name, then by the place that only one can take."""

import pytest

from compat.structure.constraints import Check, ForeignKey, Index, PrimaryKey, Unique
from compat.structure.matching import counterpart, match
from compat.structure.schema import Column
from tests.structure.tables import sides, table


def names(matching):
    """Return the names of what is missing, extra and paired."""
    pairs = [(wanted.name, found.name) for wanted, found in matching.pairs]
    return [item.name for item in matching.missing], [item.name for item in matching.extra], pairs


@pytest.mark.parametrize(
    ("expected", "actual", "result"),
    [
        ([Index("a", ("x",))], [Index("b", ("x",))], ([], [], [("a", "b")])),
        ([Index("a", ("x",))], [Index("a", ("y",))], ([], [], [("a", "a")])),
        ([Index("a", ("x",))], [Index("b", ("y",))], (["a"], ["b"], [])),
        ([Index("a", ("x",))], [Unique("a", ("x",))], (["a"], ["a"], [])),
        ([PrimaryKey("a", ("x",))], [PrimaryKey("b", ("y",))], ([], [], [("a", "b")])),
        (
            [ForeignKey("a", ("x",), target_table="p", target_columns=("id",))],
            [ForeignKey("b", ("x",), target_table="q", target_columns=("id",))],
            ([], [], [("a", "b")]),
        ),
        ([Unique("a", ("x",))], [Unique("b", ("x",), condition="x > 1")], (["a"], ["b"], [])),
        ([Check("a", clause="CHECK (x > 0)")], [Check("b", clause="CHECK (x > 0)")], ([], [], [("a", "b")])),
    ],
)
def test_pairs(expected, actual, result):
    assert names(match(expected, actual)) == result


def test_meaning_beats_name():
    expected = [Index("a", ("x",)), Index("b", ("y",))]
    actual = [Index("a", ("y",)), Index("b", ("x",))]
    assert names(match(expected, actual)) == ([], [], [("a", "b"), ("b", "a")])


def test_of_two_alike_the_one_with_the_same_name_is_taken():
    found = match([Index("b", ("x",))], [Index("a", ("x",)), Index("b", ("x",))])
    assert names(found) == ([], ["a"], [("b", "b")])


def test_a_column_whose_name_contains_a_comma_is_one_column():
    one = ForeignKey("k", ("x",), target_table="p", target_columns=("a, b",))
    assert one.target_columns == ("a, b",)
    assert not one.mentions("a")


def test_a_counterpart_may_have_only_the_name():
    wanted, other = Unique("a", ("x",)), Index("a", ("x",))
    assert counterpart(table("x", constraints=(wanted,)), table("x", constraints=(other,)), wanted) == other


def test_a_missing_column_beside_unknown_ones_of_its_shape_is_renamed():
    old, new = Column("old", "text", nullable=True), Column("new", "text", nullable=True)
    also = Column("also", "text", nullable=True)
    assert sides(table(new), table(old)).renamed == {"old": "new"}
    assert sides(table(new, also), table(old)).renamed == {"old": "new"}
    assert sides(table(new), table(old, also)).renamed == {"old": "new"}


def test_constraints_follow_renamed_columns():
    old, new = Column("old", "text", nullable=True), Column("new", "text", nullable=True)
    expected = table(new, constraints=(Index("i", ("new",)),))
    actual = table(old, constraints=(Index("i", ("old",)),))
    assert names(sides(expected, actual).matching) == ([], [], [("i", "i")])
