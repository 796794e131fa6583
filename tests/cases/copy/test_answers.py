"""An answer covers every kept run, and a copy within a caller's transaction does no harm."""

from contextlib import suppress

import pytest
from django.db import connections, transaction
from django.db.models import FloatField, TextField

from tests.cases.copy.judge import assert_copied, assert_refused, assert_round_trip
from tests.cases.copy.routes import EACH, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, WITHIN, on

FIRST = [(key, key / 4) for key in range(1, 6)]
LATER = [(key, key / 4) for key in range(6, 9)]


def levels(lab):
    lab.build("level double precision", FIRST)
    return lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")


DAMAGE = {
    "changed in the target": ("default", "UPDATE new_reading SET level = 9 WHERE id = 2"),
    "deleted in the target": ("default", "DELETE FROM new_reading WHERE id = 2"),
    "changed in the source": ("source", "UPDATE old_reading SET level = 9 WHERE id = 2"),
    "deleted in the source": ("source", "DELETE FROM old_reading WHERE id = 2"),
}


def damage(lab, kind):
    alias, statement = DAMAGE[kind]
    lab.sql(statement, using=lab.source if alias == "source" else alias)


@on(*WITHIN, TO_POSTGRESQL)
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("known", [True, False], ids=["known", "not known"])
def test_appended_rows_do_not_hide_that_an_earlier_run_differs(lab, kind, known):  # kind 10
    levels(lab)
    assert lab.run().code == 0
    damage(lab, kind)
    if known:
        assert lab.run("--verify").code == 1
    lab.fill(LATER)
    answer = lab.run()
    assert [row for row in lab.rows() if row in LATER] == LATER, answer
    if answer.code == 0:  # only a row that is missing may have been brought over
        assert kind == "deleted in the target"
        assert lab.rows() == FIRST + LATER
        return
    assert (answer.code, answer.verified) == (1, False)
    assert sum(answer.differences.values()) >= 1
    assert lab.run("--verify").code == 1


@on(*WITHIN, TO_POSTGRESQL)
def test_a_run_that_differs_is_told_until_it_is_equal_again(lab):  # kind 10
    levels(lab)
    lab.run()
    damage(lab, "changed in the target")
    assert lab.run("--verify").code == 1
    assert lab.run().code == 1
    lab.fill(LATER)
    assert [lab.run().code, lab.run().code] == [1, 1]
    lab.sql("UPDATE new_reading SET level = 0.5 WHERE id = 2")
    assert lab.run().code == 0
    assert lab.run("--verify").status == "verified"


@on(*WITHIN, TO_SQLITE)
def test_rows_appended_after_rejects_do_not_hide_them(lab):  # kind 10
    levels(lab)
    lab.in_source("UPDATE old_reading SET level = NULL WHERE id = 3")
    assert (lab.run().code, list(lab.rejects())) == (1, [3])
    lab.fill(LATER)
    answer = lab.run()
    assert lab.count() == len(FIRST + LATER) - 1
    assert (answer.code, answer.rejected) == (1, 1)


@on(*WITHIN)
def test_the_status_holds_every_run(lab):  # kind 10
    levels(lab)
    first = lab.run().json["run"]
    lab.fill(LATER)
    second = lab.run().json["run"]
    found = lab.run("--status")
    lists = [value for value in found.json.values() if isinstance(value, list)]
    assert any({first, second} <= {run.get("run", run.get("id")) for run in runs} for runs in lists), found.json


class Abort(Exception):
    """Ends the caller's transaction."""


@on(*EACH)
def test_a_copy_in_a_transaction_that_is_rolled_back_is_not_taken_as_done(lab):  # Y03
    levels(lab)
    lab.sql("CREATE TABLE other (id integer)")
    with suppress(Abort), transaction.atomic():
        lab.sql("INSERT INTO other VALUES (1)")
        session = connections["default"].connection
        answer = lab.run()
        assert connections["default"].connection is session, "the caller's connection was closed"
        assert lab.count("other") == 1
        raise Abort
    assert (lab.count(), lab.count("other")) == (0, 0)
    assert answer.code in {0, 2}
    assert lab.rejects() == {}
    assert_copied(lab, lab.run(), FIRST)


@on(*EACH)
def test_a_copy_in_a_transaction_keeps_what_its_caller_wrote(lab):  # Y03
    levels(lab)
    lab.sql("CREATE TABLE other (id integer)")
    with transaction.atomic():
        lab.sql("INSERT INTO other VALUES (1)")
        answer = lab.run()
        lab.sql("INSERT INTO other VALUES (2)")
    assert lab.sql("SELECT id FROM other ORDER BY id") == [(1,), (2,)]
    if answer.code == 2:
        assert_refused(lab, answer, "transaction")
        return
    assert lab.rows() == FIRST


@on(*WITHIN)
@pytest.mark.parametrize("option", ["--verify", "--rollback", "--dry-run", "--status", "--retry-rejected"])
def test_no_operation_closes_a_connection_of_its_caller(lab, option):  # Y03
    levels(lab)
    lab.run()
    lab.sql("CREATE TEMPORARY TABLE mine (id integer)")
    lab.run(option)
    assert lab.count("mine") == 0


@on(*EACH)
def test_two_copies_into_one_empty_target_do_not_collide(lab):  # kind 12
    lab.build("level double precision", FIRST)
    lab.build("level double precision", [(key, level + 100) for key, level in FIRST], table="older_reading")
    new = lab.new(level=FloatField())
    older = lab.model("Older", "older_reading", level=FloatField())
    one = lab.declare(lab.old(level=FloatField()), new, "level", called="one")
    two = lab.declare(older, new, "level", called="two")
    stopped = lab.run("--max-seconds=0.000001", copy=one)  # the keys are reserved, no row is written
    answers = [lab.run(copy=two), lab.run(copy=one), lab.run(copy=two)]
    assert answers[-1].code == 0, (stopped, answers)
    expected = [level for _, level in FIRST] + [level + 100 for _, level in FIRST]
    assert sorted(level for (level,) in lab.rows("level")) == expected, answers
    for copy in (one, two):
        assert lab.run("--verify", copy=copy).status == "verified"
    assert lab.run("--rollback", copy=one).code == 0
    assert sorted(level for (level,) in lab.rows("level")) == expected[5:]


@on(*EACH)
def test_a_target_of_a_key_alone_is_copied(lab):  # kind 12
    lab.build("level double precision", FIRST)
    lab.declare(lab.old(level=FloatField()), lab.new())
    assert_round_trip(lab, [(key,) for key, _ in FIRST])


@on(*EACH)
def test_a_target_whose_columns_stay_empty_is_copied(lab):  # kind 12, Y05
    lab.build("level double precision", FIRST)
    lab.declare(lab.old(level=FloatField()), lab.new(note=TextField(null=True), level=FloatField(null=True)))
    assert_round_trip(lab, [(key, None, None) for key, _ in FIRST], "id, note, level")


@on(SQLITE, POSTGRESQL, TO_POSTGRESQL)
def test_an_empty_source_is_nothing_to_do(lab):  # kind 12
    levels(lab)
    lab.in_source("DELETE FROM old_reading")
    answers = [lab.run("--dry-run"), lab.run(), lab.run("--verify"), lab.run("--rollback"), lab.run("--status")]
    assert [answer.code for answer in answers] == [0] * 5
