"""What a server or a driver raises between databases is handled like errors within one."""

import pytest
from django.db.models import DecimalField, ExpressionWrapper, F, FloatField, IntegerField

from tests.cases.copy.judge import assert_copied, assert_rejected
from tests.cases.copy.routes import ALL, BETWEEN_SERVERS, FROM_POSTGRESQL, POSTGRESQL, TO_POSTGRESQL, TO_SQLITE, on

LEVELS = [(key, key / 4) for key in range(1, 41)]
FUNCTION = """
CREATE SEQUENCE calls;
CREATE FUNCTION once(level double precision) RETURNS double precision LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF nextval('calls') = {call} THEN {action}; END IF;
    RETURN level;
END $$
"""
ACTIONS = {
    "connection cut": "PERFORM pg_terminate_backend(pg_backend_pid())",
    "statement timeout": "RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'",
    "serialization failure": "RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'",
    "deadlock": "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'",
    "lock timeout": "RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = '55P03'",
    "too many connections": "RAISE EXCEPTION 'sorry, too many clients already' USING ERRCODE = '53300'",
}


def failing_source(lab, action, call):
    """Build a source whose `call`-th reading of a value fails once."""
    lab.build("level double precision", LEVELS, table="base")
    lab.in_source(FUNCTION.format(call=call, action=action))
    lab.in_source("CREATE VIEW old_reading AS SELECT id, once(level) AS level FROM base")
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")


@on(*FROM_POSTGRESQL)
@pytest.mark.parametrize(("action", "call"), [*((action, 15) for action in ACTIONS), ("connection cut", 55)])
def test_an_error_of_the_source_that_passes_is_retried(lab, action, call):  # Y01
    failing_source(lab, ACTIONS[action], call)
    answer = lab.run("--batch-size=10")
    assert_copied(lab, answer, LEVELS)
    assert lab.in_source("SELECT last_value >= %s FROM calls", [call]) == [(True,)]


@on(BETWEEN_SERVERS)
@pytest.mark.parametrize("call", [3, 25, 70])
def test_a_target_that_is_cut_off_while_rows_are_loaded_is_connected_again(lab, call):  # Y01
    target = lab.sql("SELECT current_database()")[0][0]
    cut = f"PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{target}'"
    failing_source(lab, cut, call)
    assert_copied(lab, lab.run("--batch-size=10"), LEVELS)


@on(POSTGRESQL, TO_POSTGRESQL)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_error_of_the_target_that_passes_is_retried(lab, action):  # Y01
    lab.build("level double precision", LEVELS)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    lab.sql(FUNCTION.format(call=15, action=ACTIONS[action]))
    lab.sql("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN PERFORM once(NEW.level); RETURN NEW; END $$")  # fmt: skip
    lab.sql("CREATE TRIGGER fails BEFORE INSERT ON new_reading FOR EACH ROW EXECUTE FUNCTION fail()")
    assert_copied(lab, lab.run("--batch-size=10"), LEVELS)


@on(TO_SQLITE, BETWEEN_SERVERS)
def test_a_source_that_stays_away_ends_the_run_and_the_next_one_resumes(lab):  # Y01
    lab.build("level double precision", LEVELS)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    lab.run("--batch-size=10", "--max-seconds=0.000001")
    name = lab.in_source("SELECT current_database()")[0][0]
    lab.reconnect("legacy", NAME="no_such_database")
    answer = lab.run()
    lab.reconnect("legacy", NAME=name)
    assert answer.code in {1, 2}
    assert "no_such_database" in answer.text
    assert_copied(lab, lab.run(), LEVELS)


@on(*ALL)
def test_a_row_whose_expression_fails_is_rejected(lab):  # Y01
    lab.build("amount integer, parts integer", [(1, 10, 2), (2, 7, 0), (3, 9, 4), (4, 1, None), (5, 0, 5)])
    share = ExpressionWrapper(F("amount") * 1.0 / F("parts"), output_field=FloatField())
    lab.declare(lab.old(amount=IntegerField(), parts=IntegerField()), lab.new(share=FloatField()), share=share)
    answer = lab.run()
    assert_rejected(lab, answer, [2, 4], "", [(1, 5.0), (3, 2.25), (5, 0.0)])
    assert answer.verified is True
    assert lab.run("--verify").status == "verified"
    assert lab.run().status == "nothing_to_do"


@on(*ALL)
def test_a_few_bad_rows_of_a_large_batch_are_rejected(lab):  # Y01
    rows = [(key, key * 2) for key in range(1, 601)]
    lab.build("number bigint", [(key, 10**12 if key in (1, 300, 600) else number) for key, number in rows])
    new = lab.new(number=DecimalField(max_digits=6, decimal_places=0))
    lab.declare(lab.old(number=DecimalField(max_digits=15, decimal_places=0)), new, "number")
    answer = lab.run()
    good = [row for row in rows if row[0] not in (1, 300, 600)]
    assert_rejected(lab, answer, [1, 300, 600], "number", good)


@on(TO_POSTGRESQL, BETWEEN_SERVERS)
def test_several_workers_reject_bad_rows_between_databases(lab):  # Y01
    rows = [(key, 3_000_000_000 if key % 50 == 0 else key) for key in range(1, 301)]
    lab.build("number bigint", rows)
    lab.declare(lab.old(number=IntegerField()), lab.new(number=IntegerField()), "number")
    answer = lab.run("--workers=3", "--batch-size=20")
    bad = [key for key, _ in rows if key % 50 == 0]
    assert_rejected(lab, answer, bad, "number", [row for row in rows if row[0] not in bad])
