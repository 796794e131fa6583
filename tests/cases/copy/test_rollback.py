"""A rollback takes nothing that is not its own, and what it kept is never copied a second time."""

import threading
import time
from contextlib import closing

import psycopg2
import pytest
from django.db.models import CASCADE, CharField, FloatField, ForeignKey, IntegerField

from tests.cases.copy.judge import assert_copied, assert_named
from tests.cases.copy.routes import EACH, INTO_POSTGRESQL, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, WITHIN, on

ROWS = [(key, f"code {key}", key) for key in range(1, 6)]


def codes(lab):
    """Build rows with a code and their own number, and declare their copy."""
    lab.build("code varchar(20), number integer", ROWS)
    new = lab.new(code=CharField(max_length=20, unique=True), number=IntegerField())
    lab.declare(lab.old(code=CharField(max_length=20), number=IntegerField()), new, "code", "number")
    return new


def assert_kept(lab, answer, key=3):
    """Assert that only the row with this key is left, and that the answer names it."""
    assert [row[0] for row in lab.rows()] == [key], answer
    assert_named(answer.text, str(key))
    assert answer.copied == len(ROWS) - 1


CHILDREN = {
    "no column": "{id}, reading_id bigint REFERENCES new_reading {action}",
    "a column": "{id}, reading_id bigint REFERENCES new_reading (id) {action}",
    "a name": '{id}, reading_id bigint, CONSTRAINT "A Key" FOREIGN KEY (reading_id) REFERENCES new_reading {action}',
    "another unique column": "{id}, reading_code varchar(20) REFERENCES new_reading (code) {action}",
}
VALUES = {"another unique column": "'code 3'"}
ACTIONS = ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"]


@on(*WITHIN)
@pytest.mark.parametrize(
    ("kind", "action"), [*((kind, ACTIONS[0]) for kind in CHILDREN), *(("no column", action) for action in ACTIONS[1:])]
)
def test_a_row_that_a_child_refers_to_is_kept_whatever_the_key(lab, kind, action):  # R03
    codes(lab)
    lab.sql(f"CREATE TABLE child ({CHILDREN[kind].format(id='id integer PRIMARY KEY', action=action)})")
    assert lab.run().code == 0
    value = VALUES.get(kind, "3")
    lab.sql(f"INSERT INTO child VALUES (1, {value})")
    assert_kept(lab, lab.run("--rollback"))
    assert [str(row[1]) for row in lab.sql("SELECT * FROM child")] == [value.strip("'")]


@on(*WITHIN)
@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_a_key_of_two_columns_is_seen(lab, action):  # R03
    codes(lab)
    lab.sql("CREATE UNIQUE INDEX pair ON new_reading (number, code)")
    lab.sql(
        "CREATE TABLE child (id integer PRIMARY KEY, n integer, c varchar(20), "
        f"FOREIGN KEY (n, c) REFERENCES new_reading (number, code) {action})"
    )
    assert lab.run().code == 0
    lab.sql("INSERT INTO child VALUES (1, 3, 'code 3'), (2, NULL, 'code 4')")
    assert_kept(lab, lab.run("--rollback"))
    assert lab.sql("SELECT * FROM child ORDER BY id") == [(1, 3, "code 3"), (2, None, "code 4")]


@on(SQLITE, TO_SQLITE)
def test_a_child_with_a_name_of_its_own_and_capitals_is_seen(lab):  # R03
    codes(lab)
    lab.sql('CREATE TABLE "Child Table" ("Reading Id" integer REFERENCES NEW_READING ON DELETE CASCADE)')
    assert lab.run().code == 0
    lab.sql('INSERT INTO "Child Table" VALUES (3)')
    assert_kept(lab, lab.run("--rollback"))
    assert lab.count('"Child Table"') == 1


ELSEWHERE = {
    "other schema": "reading_id bigint REFERENCES public.new_reading ON DELETE CASCADE)",
    "partitions": "reading_id bigint REFERENCES public.new_reading ON DELETE CASCADE) PARTITION BY RANGE (reading_id); "
    "CREATE TABLE child_1 PARTITION OF other.child FOR VALUES FROM (1) TO (10)",
    "not validated": "reading_id bigint); ALTER TABLE other.child ADD FOREIGN KEY (reading_id) "
    "REFERENCES public.new_reading ON DELETE SET NULL NOT VALID",
}


@on(*INTO_POSTGRESQL)
@pytest.mark.parametrize("kind", ELSEWHERE)
def test_children_elsewhere_in_postgresql_are_seen(lab, kind):  # R03
    codes(lab)
    lab.sql(f"CREATE SCHEMA other; CREATE TABLE other.child ({ELSEWHERE[kind]}")
    assert lab.run().code == 0
    lab.sql("INSERT INTO other.child VALUES (3)")
    assert_kept(lab, lab.run("--rollback"))
    assert lab.sql("SELECT * FROM other.child") == [(3,)]


@on(*WITHIN)
def test_a_child_of_the_application_is_seen(lab):  # R03
    new = codes(lab)
    child = lab.create(lab.model("Child", "child", managed=True, reading=ForeignKey(new, CASCADE), level=FloatField()))
    assert lab.run().code == 0
    child.objects.create(reading_id=3, level=1.0)
    assert_kept(lab, lab.run("--rollback", "--batch-size=2"))
    assert child.objects.count() == 1


@on(*INTO_POSTGRESQL)
@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_a_child_that_commits_while_the_rollback_runs_is_not_lost(lab, action):  # R03
    codes(lab)
    lab.sql(f"CREATE TABLE child (reading_id bigint REFERENCES new_reading {action})")
    assert lab.run().code == 0
    with lab.session("default") as other:
        other.cursor().execute("INSERT INTO child VALUES (3)")
        commits = threading.Thread(target=commit_when_waited_for, args=(other, lab.urls["default"]))
        commits.start()
        answer = lab.run("--rollback")
        commits.join()
    assert lab.sql("SELECT * FROM child") == [(3,)], answer
    assert [row[0] for row in lab.rows()] == [3]
    if answer.code != 0:  # it may have stopped before the row, and then goes on
        answer = lab.run("--rollback")
    assert [row[0] for row in lab.rows()] == [3]
    assert lab.sql("SELECT * FROM child") == [(3,)]


def commit_when_waited_for(other, url):
    """Commit the transaction of `other` once a session waits for it, at the latest after 5 seconds."""
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND %s = ANY (pg_blocking_pids(pid))"
    )
    pid = other.info.backend_pid
    with closing(psycopg2.connect(url)) as watcher, watcher.cursor() as cursor:
        watcher.autocommit = True
        for _ in range(100):
            cursor.execute(waits, [pid])
            if cursor.fetchone()[0]:
                break
            time.sleep(0.05)
    other.commit()


@on(*EACH)
@pytest.mark.parametrize(
    "keep",
    ["UPDATE new_reading SET number = 30 WHERE code = 'code 3'", "INSERT INTO child VALUES (3)"],
    ids=["changed", "referred to"],
)
def test_a_row_that_a_rollback_kept_is_never_there_twice(lab, keep):  # R13
    lab.build("code varchar(20), number integer", ROWS)
    new = lab.new(code=CharField(max_length=20), number=IntegerField())
    lab.declare(lab.old(code=CharField(max_length=20), number=IntegerField()), new, "code", "number")
    lab.sql("CREATE TABLE child (reading_id bigint REFERENCES new_reading (id))")
    assert lab.run().code == 0
    lab.sql(keep)
    lab.run("--rollback")
    assert [code for (code,) in lab.rows("code")] == ["code 3"]
    for _ in range(2):
        answer = lab.run()
        found = sorted(code for (code,) in lab.rows("code"))
        assert found.count("code 3") == 1, answer
        assert answer.code == 2 or found == [code for _, code, _ in ROWS], answer
    if "UPDATE" in keep:
        assert lab.run("--verify").verified is not True
    lab.run("--rollback")
    assert [code for (code,) in lab.rows("code")] == ["code 3"]


@on(*WITHIN, TO_POSTGRESQL)
def test_a_second_rollback_takes_what_is_no_longer_referred_to(lab):  # R13
    codes(lab)
    lab.sql("CREATE TABLE child (reading_id bigint REFERENCES new_reading (id))")
    lab.run()
    lab.sql("INSERT INTO child VALUES (3)")
    lab.run("--rollback")
    lab.sql("DELETE FROM child")
    lab.run("--rollback")
    if lab.count():  # kept for good: then it counts as the target's own
        assert [row[0] for row in lab.rows()] == [3]
        return
    assert_copied(lab, lab.run(), ROWS)


@on(POSTGRESQL, TO_POSTGRESQL)
def test_rows_that_others_wrote_into_the_block_are_not_taken(lab):  # R03
    codes(lab)
    lab.in_source("DELETE FROM old_reading WHERE id = 4")
    assert lab.run().code == 0
    lab.sql("INSERT INTO new_reading (id, code, number) VALUES (4, 'mine', 4)")
    lab.run("--rollback")
    assert lab.rows() == [(4, "mine", 4)]
