"""The source's real column types are looked at before the first row."""

import uuid
from decimal import Decimal

import pytest
from django.db.models import (
    BooleanField,
    CharField,
    DecimalField,
    FloatField,
    JSONField,
    TextField,
    TimeField,
    UUIDField,
)
from django.db.models.functions import Cast

from tests.cases.copy.judge import assert_copied, assert_named, assert_refused
from tests.cases.copy.routes import BETWEEN_SERVERS, FROM_POSTGRESQL, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, on

MONEY = {"max_digits": 9, "decimal_places": 2}


def refused_with_a_cast(lab, answer):
    """Tell whether the copy was refused with the cast to write; no row may have been written then."""
    if answer.code != 2:
        return False
    assert_refused(lab, answer, "old_reading", "state", 'Cast("state"')
    return True


@on(*FROM_POSTGRESQL)
def test_an_enum_is_compared_as_text_or_asks_for_a_cast(lab):  # C01
    lab.in_source("CREATE TYPE reading_state AS ENUM ('ok', 'bad', 'n/a')")
    rows = [(key, "n/a" if key % 7 == 0 else "ok" if key % 2 else "bad", key / 3) for key in range(1, 301)]
    lab.build("state reading_state, level double precision", rows)
    old = lab.old(state=CharField(max_length=10), level=FloatField())
    lab.declare(old, lab.new(state=CharField(max_length=10), level=FloatField()), "state", "level")
    dry, answer = lab.run("--dry-run"), lab.run()
    assert dry.code == answer.code
    if refused_with_a_cast(lab, answer):
        assert_named(answer.text, "reading_state")
        return
    assert_copied(lab, answer, rows)
    assert lab.run().status == "nothing_to_do"
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


@on(*FROM_POSTGRESQL)
def test_an_enum_by_a_cast_is_copied_compared_and_rolled_back(lab):  # C01
    lab.in_source("CREATE TYPE reading_state AS ENUM ('ok', 'bad')")
    lab.build("state reading_state", [(1, "ok"), (2, "bad"), (3, None)])
    new = lab.new(state=CharField(max_length=10, null=True))
    lab.declare(lab.old(state=CharField(max_length=10)), new, state=Cast("state", CharField(max_length=10)))
    assert lab.run("--dry-run").rejected == 0
    assert_copied(lab, lab.run(), [(1, "ok"), (2, "bad"), (3, None)])
    assert lab.run("--verify").status == "verified"
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


TYPES = {
    "text array": ("text[]", ["{a,b}", "{}", '{"ü x"}'], TextField(), ["{a,b}", "{}", '{"ü x"}']),
    "bit string": ("bit(3)", ["101", "000"], CharField(max_length=3), ["101", "000"]),
    "search text": ("tsvector", ["'cat':2 'fat':1", ""], TextField(), ["'cat':2 'fat':1", ""]),
    "uuid for text": ("uuid", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], CharField(max_length=36),
                      ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]),
    "number for text": ("integer", ["7", "-12"], CharField(max_length=10), ["7", "-12"]),
    "date for text": ("date", ["2024-07-01", "0044-03-15"], CharField(max_length=20), ["2024-07-01", "0044-03-15"]),
    "range": ("int4range", ["[1,5)", "empty"], CharField(max_length=20), ["[1,5)", "empty"]),
    "point": ("point", ["(1,2)", "(0.5,-3)"], CharField(max_length=20), ["(1,2)", "(0.5,-3)"]),
    "network address": ("inet", ["10.0.0.1", "10.0.0.0/8", "::1"], CharField(max_length=20),
                        ["10.0.0.1/32", "10.0.0.0/8", "::1/128"]),
    "money": ("money", ["$12.50", "-$3.00"], DecimalField(**MONEY), [Decimal("12.50"), Decimal(-3)]),
    "json": ("json", ['{"b": 1,   "a": [null]}', '"text"'], JSONField(), [{"a": [None], "b": 1}, "text"]),
    "text for uuid": ("varchar(36)", ["6BA7B810-9dad-11d1-80b4-00c04fd430c8"], UUIDField(),
                      ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]),
}  # fmt: skip
"""A column's type, its values, the field that a person writes for it, and what arrives by a cast to that field."""


def read(new, name="state"):
    """Return the target's values as Django reads them, a UUID as text."""
    found = new.objects.order_by("pk").values_list("pk", name)
    return [(key, str(value) if isinstance(value, uuid.UUID) else value) for key, value in found]


@on(POSTGRESQL)
@pytest.mark.parametrize("kind", TYPES)
def test_a_type_that_cannot_be_compared_asks_for_a_cast(lab, kind):  # kind 2
    column, values, field, expected = TYPES[kind]
    lab.build(f"state {column}", list(enumerate(values, 1)))
    new = lab.new(state=field.clone())
    lab.declare(lab.old(state=field.clone()), new, "state")
    answer = lab.run()
    if refused_with_a_cast(lab, answer):
        return
    assert (answer.code, answer.verified) == (0, True), answer
    if kind != "network address":  # /32 is the cast's own way to write it
        assert read(new) == list(enumerate(expected, 1))
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


@on(BETWEEN_SERVERS)
@pytest.mark.parametrize("kind", ["money", "json", "text array"])
def test_a_type_of_another_server_arrives_or_asks_for_a_cast(lab, kind):  # kind 2
    column, values, field, expected = TYPES[kind]
    lab.build(f"state {column}", list(enumerate(values, 1)))
    new = lab.new(state=field.clone())
    lab.declare(lab.old(state=field.clone()), new, "state")
    answer = lab.run()
    if not refused_with_a_cast(lab, answer):
        assert (answer.code, answer.verified, read(new)) == (0, True, list(enumerate(expected, 1))), answer


@on(*FROM_POSTGRESQL)
def test_the_cast_that_is_asked_for_works(lab):  # kind 2
    names = {f"f{number}": TYPES[kind] for number, kind in enumerate(TYPES)}
    rows = [(key, *(values[key % len(values)] for _, values, _, _ in names.values())) for key in range(6)]
    lab.build(", ".join(f"{name} {column}" for name, (column, *_) in names.items()), rows)
    fields = {name: field for name, (_, _, field, _) in names.items()}
    new = lab.new(**{name: field.clone() for name, field in fields.items()})
    old = lab.old(**{name: field.clone() for name, field in fields.items()})
    lab.declare(old, new, **{name: Cast(name, field.clone()) for name, field in fields.items()})
    answer = lab.run()
    assert (answer.code, answer.verified) == (0, True), (answer, lab.rejects())
    for name, (column, _, _, expected) in names.items():
        found = read(new, name)
        assert (column, found) == (column, [(key, expected[key % len(expected)]) for key in range(6)])
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


@on(*FROM_POSTGRESQL)
@pytest.mark.parametrize("column", ["smallint", "bit(1)", "varchar(1)"])
def test_a_flag_of_another_type_asks_for_a_cast_or_arrives(lab, column):
    lab.build(f"state {column}", [(1, "1"), (2, "0")])
    new = lab.new(state=BooleanField())
    lab.declare(lab.old(state=BooleanField()), new, "state")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", "state", "Cast")
        return
    assert (answer.code, answer.verified) == (0, True), (answer, lab.rejects())
    assert new.objects.filter(state=True).get().pk == 1
    assert new.objects.filter(state=False).get().pk == 2


@on(*FROM_POSTGRESQL)
def test_a_time_with_a_zone_does_not_lose_it(lab):
    lab.build("state timetz", [(1, "10:00+00"), (2, "10:00+05"), (3, "23:30:00.5-08")])
    new = lab.new(state=TimeField())
    lab.declare(lab.old(state=TimeField()), new, "state")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "state", "Cast")
        return
    assert {2, 3} <= set(lab.rejects())
    assert answer.code == 1


CITEXT = """
CREATE TYPE citext;
CREATE FUNCTION citextin(cstring) RETURNS citext AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION citextout(citext) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (citext AS varchar) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (varchar AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION citext_eq(citext, citext) RETURNS boolean AS 'SELECT lower($1::text) = lower($2::text)'
    LANGUAGE sql IMMUTABLE STRICT;
CREATE FUNCTION citext_ne(citext, citext) RETURNS boolean AS 'SELECT lower($1::text) <> lower($2::text)'
    LANGUAGE sql IMMUTABLE STRICT;
CREATE OPERATOR = (LEFTARG = citext, RIGHTARG = citext, PROCEDURE = citext_eq, COMMUTATOR = =, NEGATOR = <>);
CREATE OPERATOR <> (LEFTARG = citext, RIGHTARG = citext, PROCEDURE = citext_ne, COMMUTATOR = <>, NEGATOR = =);
"""
"""The type of the extension citext, which the suite's server lacks, as far as comparisons need it."""


def without_case(lab, *aliases):
    """Let the column `state` compare without case, in the source and in the target."""
    for alias in aliases:
        if alias == "default" and lab.target_vendor == "postgresql":
            lab.sql(CITEXT)
            lab.sql("ALTER TABLE new_reading ALTER state TYPE citext")
        if lab.source_vendor == "postgresql" and alias == lab.source:
            if alias != "default":
                lab.in_source(CITEXT)
            lab.in_source("ALTER TABLE old_reading ALTER state TYPE citext")


@on(SQLITE, POSTGRESQL, BETWEEN_SERVERS, TO_POSTGRESQL, TO_SQLITE)
def test_a_change_of_case_is_a_change(lab):  # R04
    collation = {"sqlite": "NOCASE", "postgresql": None}[lab.target_vendor]
    nocase = " COLLATE NOCASE" if lab.source_vendor == "sqlite" else ""
    lab.build(f"state varchar(20){nocase}", [(1, "abc"), (2, "Straße"), (3, "x")])
    old = lab.old(state=CharField(max_length=20))
    lab.declare(old, lab.new(state=CharField(max_length=20, db_collation=collation)), "state")
    without_case(lab, *{"default", lab.source})
    assert_copied(lab, lab.run(), [(1, "abc"), (2, "Straße"), (3, "x")])
    lab.sql("UPDATE new_reading SET state = 'ABC' WHERE id = 1")
    answer = lab.run("--verify")
    assert (answer.code, answer.verified, answer.differences["changed"]) == (1, False, 1)
    back = lab.run("--rollback")
    assert lab.rows() == [(1, "ABC")], back


@on(SQLITE, TO_SQLITE)
def test_trailing_spaces_are_a_change_whatever_the_collation(lab):  # R04
    lab.build("state varchar(20)", [(1, "abc"), (2, "x ")])
    old = lab.old(state=CharField(max_length=20))
    lab.declare(old, lab.new(state=CharField(max_length=20, db_collation="RTRIM")), "state")
    assert_copied(lab, lab.run(), [(1, "abc"), (2, "x ")])
    lab.sql("UPDATE new_reading SET state = 'abc   ' WHERE id = 1")
    lab.sql("UPDATE new_reading SET state = 'x' WHERE id = 2")
    answer = lab.run("--verify")
    assert (answer.code, answer.differences["changed"]) == (1, 2)
    lab.run("--rollback")
    assert lab.rows() == [(1, "abc   "), (2, "x")]


@on(SQLITE)
def test_a_number_that_became_a_text_is_a_change(lab):
    lab.build("state varchar(20), level double precision", [(1, "7", 7.0), (2, "07", 1.5)])
    new = lab.new(state=CharField(max_length=20), level=FloatField())
    lab.declare(lab.old(state=CharField(max_length=20), level=FloatField()), new, "state", "level")
    assert lab.run().code == 0
    lab.sql("UPDATE new_reading SET state = '7' WHERE id = 2")
    assert lab.run("--verify").differences["changed"] == 1
