"""Keys that are doubled, NULL, fractional, text or extreme: refused before the first row, or rejected, or copied."""

import pytest
from django.db.models import FloatField

from tests.cases.copy.judge import assert_named, assert_refused, assert_round_trip
from tests.cases.copy.routes import ALL, EACH, FROM_POSTGRESQL, FROM_SQLITE, POSTGRESQL, SQLITE, TO_SQLITE, on


def declare(lab):
    lab.declare(lab.old(level=FloatField(null=True)), lab.new(level=FloatField(null=True)), "level")


def assert_judged(lab, answer, good, bad, *samples):
    """Assert that the copy was refused with samples, or that the good rows arrived and the bad ones are rejects."""
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", *samples)
        return
    assert lab.rows() == good, answer
    assert (answer.code, answer.copied, answer.rejected) == (1, len(good), bad), answer
    assert len(lab.rejects()) == bad
    assert lab.run("--verify").verified is not False


@on(*ALL)
def test_a_key_that_is_there_twice_is_refused_or_rejected(lab):  # C03, R22
    lab.build("id integer, level double precision", [(key, key / 2) for key in range(1, 11)], key="")
    lab.fill([(7, 70.0)])
    declare(lab)
    assert (dry := lab.run("--dry-run")).code in {0, 2}, dry
    answer = lab.run("--batch-size=4")
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", "7")
        assert [lab.run().code, lab.run("--verify").code] == [2, 2]
    else:
        rest = [(key, key / 2) for key in range(1, 11) if key != 7]
        assert [row for row in lab.rows() if row[0] != 7] == rest
        assert lab.count() == 10
        assert (answer.code, answer.rejected, list(lab.rejects())) == (1, 1, [7])
    assert lab.run("--status").code == 0


@on(*EACH)
def test_a_table_that_was_loaded_twice_is_refused_or_rejected(lab):  # C03
    lab.build("id integer, level double precision", [(key, 1.0) for key in (1, 2, 3, 1, 2, 3, 1)], key="")
    declare(lab)
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading")
        return
    assert lab.rows() == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert (answer.code, answer.rejected >= 3) == (1, True)


@on(*FROM_SQLITE)
@pytest.mark.parametrize(
    ("keys", "bad"),
    [
        ([1, 2, None, None], 2),
        ([1, 2, 1.5], 1),
        ([1, 2, "x7"], 1),
        ([1, 2, b"\x07"], 1),
        ([1, 2, "", "2nd"], 2),
        ([1, 2, None, 2.5, "zwölf", 1e300], 4),
    ],
    ids=["null", "fraction", "text", "bytes", "blank", "all of them"],
)
def test_keys_that_only_sqlite_takes_are_refused_or_rejected(lab, keys, bad):  # C04, R11, R22
    lab.build("level double precision", [(key, number / 2) for number, key in enumerate(keys)], key="INT PRIMARY KEY")
    declare(lab)
    assert lab.run("--dry-run").code in {0, 2}
    assert_judged(lab, lab.run(), [(1, 0.0), (2, 0.5)], bad)
    assert lab.run("--status").code == 0


@on(POSTGRESQL, TO_SQLITE)
@pytest.mark.parametrize(
    ("column", "keys", "bad"),
    [
        ("integer", [1, 2, None, None], 2),
        ("numeric", ["1", "2", "1.5"], 1),
        ("numeric", ["1", "2", "NaN", "9223372036854775808"], 2),
        ("double precision", [1.0, 2.0, 2.25], 1),
        ("varchar(10)", ["1", "2", "x7", "07"], 2),
    ],
    ids=["null", "fraction", "beyond 64 bits", "real", "text"],
)
def test_keys_of_other_types_in_postgresql_are_refused_or_rejected(lab, column, keys, bad):  # C04, R11, R22
    rows = [(key, number / 2) for number, key in enumerate(keys)]
    lab.build(f"id {column}, level double precision", rows, key="")
    declare(lab)
    assert lab.run("--dry-run").code in {0, 2}
    assert_judged(lab, lab.run(), [(1, 0.0), (2, 0.5)], bad)


@on(*FROM_POSTGRESQL)
def test_a_view_that_doubles_keys_by_a_join_is_refused_or_rejected(lab):  # C03
    lab.build("level double precision", [(1, 1.0), (2, 2.0)], table="base")
    lab.in_source("CREATE TABLE tag (base_id integer, name text)")
    lab.in_source("INSERT INTO tag VALUES (1, 'a'), (2, 'a'), (2, 'b')")
    lab.in_source("CREATE VIEW old_reading AS SELECT base.id, level FROM base JOIN tag ON base_id = base.id")
    declare(lab)
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", "2")
        return
    assert (answer.code, lab.rows()) == (1, [(1, 1.0), (2, 2.0)])
    assert list(lab.rejects()) == [2]


@on(*EACH)
def test_negative_keys_zero_and_gaps_up_to_9e15_are_copied(lab):  # Y07
    rows = [(key, key / 8) for key in (-9 * 10**15, -3, -1, 0, 1, 5, 2**31, 9 * 10**15)]
    lab.build("level double precision", rows)
    declare(lab)
    assert_round_trip(lab, rows)


@on(*EACH)
@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63)], ids=["largest", "smallest"])
def test_extreme_keys_are_copied_or_refused(lab, extreme):  # Y07
    rows = sorted([(1, 0.5), (2, 1.0), (extreme, 1.5)])
    lab.build("level double precision", rows)
    declare(lab)
    assert lab.run("--dry-run").code in {0, 2}
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, str(extreme))
        return
    assert lab.rows() == [row for row in rows if row[0] not in lab.rejects()]
    assert answer.code == (1 if lab.rejects() else 0)
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


@on(*EACH)
def test_a_key_that_the_offset_would_lift_beyond_64_bits_is_refused_or_rejected(lab):  # Y07
    lab.build("level double precision", [(1, 0.5), (2**63 - 5, 1.5)])
    declare(lab)
    lab.sql("INSERT INTO new_reading (id, level) VALUES (100, 9.0)")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, rows=1)
        return
    assert answer.code == 1
    assert sorted(level for _, level in lab.rows()) == [0.5, 9.0]
    assert list(lab.rejects()) == [2**63 - 5]


@on(SQLITE, TO_SQLITE, POSTGRESQL)
def test_a_source_that_is_only_bad_keys_is_not_equal(lab):  # R11
    lab.build("id integer, level double precision", [(None, 1.0), (None, 2.0)], key="")
    declare(lab)
    answer = lab.run()
    assert answer.code in {1, 2}, answer
    assert answer.verified is not True
    assert lab.rows() == []
    if answer.code == 2:
        assert_named(answer.text, "old_reading")
    else:
        assert answer.rejected == 2
