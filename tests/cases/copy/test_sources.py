"""A source may be a view, a partitioned or an inherited table: rows that commit late are not lost."""

import threading
from contextlib import closing

import psycopg2
import pytest
from django.db.models import FloatField

from tests.cases.copy.judge import assert_copied, assert_named, assert_refused
from tests.cases.copy.routes import BETWEEN_SERVERS, FROM_POSTGRESQL, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, on

ROWS = [(1, 0.25), (3, 0.75), (9, 2.25)]
LATE = (2, 0.5)
SOURCES = {
    "table": ("CREATE TABLE old_reading (id bigint PRIMARY KEY, level double precision)", "old_reading"),
    "view": (
        "CREATE TABLE base (id bigint PRIMARY KEY, level double precision); "
        "CREATE VIEW old_reading AS SELECT id, level FROM base",
        "base",
    ),
    "view of a view": (
        "CREATE SCHEMA deep; CREATE TABLE deep.base (id bigint PRIMARY KEY, level double precision); "
        "CREATE VIEW middle AS SELECT * FROM deep.base; "
        "CREATE VIEW old_reading AS SELECT id, level FROM middle WHERE id > 0",
        "deep.base",
    ),
    "union": (
        "CREATE TABLE base (id bigint PRIMARY KEY, level double precision); CREATE TABLE base2 (LIKE base); "
        "CREATE VIEW old_reading AS SELECT * FROM base UNION ALL SELECT * FROM base2",
        "base2",
    ),
    "partition": (
        "CREATE TABLE old_reading (id bigint PRIMARY KEY, level double precision) PARTITION BY RANGE (id); "
        "CREATE TABLE part PARTITION OF old_reading FOR VALUES FROM (1) TO (100)",
        "part",
    ),
    "partition of a partition": (
        "CREATE TABLE old_reading (id bigint PRIMARY KEY, level double precision) PARTITION BY RANGE (id); "
        "CREATE TABLE part PARTITION OF old_reading FOR VALUES FROM (1) TO (100) PARTITION BY RANGE (id); "
        "CREATE TABLE leaf PARTITION OF part FOR VALUES FROM (1) TO (50)",
        "leaf",
    ),
    "inherited": (
        "CREATE TABLE old_reading (id bigint PRIMARY KEY, level double precision); "
        "CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (old_reading)",
        "child",
    ),
    "view of partitions": (
        "CREATE TABLE base (id bigint PRIMARY KEY, level double precision) PARTITION BY HASH (id); "
        "CREATE TABLE base_0 PARTITION OF base FOR VALUES WITH (MODULUS 1, REMAINDER 0); "
        "CREATE VIEW old_reading AS SELECT id, level FROM base",
        "base_0",
    ),
}


def source(lab, kind):
    """Build a source of the kind, and declare its copy; return the relation that is written directly."""
    create, written = SOURCES[kind]
    lab.in_source(create)
    for row in ROWS:
        lab.in_source(f"INSERT INTO {written} (id, level) VALUES (%s, %s)", row)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    return written


@on(POSTGRESQL)
@pytest.mark.parametrize("kind", SOURCES)
def test_a_row_that_may_still_commit_is_waited_for(lab, kind):  # R10
    written = source(lab, kind)
    with lab.session(lab.source) as other:
        other.cursor().execute(f"INSERT INTO {written} (id, level) VALUES (%s, %s)", LATE)
        pid = other.info.backend_pid
        answer = lab.run("--max-seconds=3")
        assert (answer.code, answer.status) != (0, "completed"), answer
        if answer.code == 2:
            assert_refused(lab, answer, "old_reading")
            return
        assert answer.code == 3
        assert_named(answer.text, str(pid))
        other.commit()
    assert_copied(lab, lab.run(), sorted([*ROWS, LATE]))
    assert lab.run("--verify").status == "verified"


@on(BETWEEN_SERVERS, TO_SQLITE)
@pytest.mark.parametrize("kind", ["view", "partition of a partition", "inherited"])
def test_a_row_that_commits_while_the_copy_waits_arrives(lab, kind):  # R10
    written = source(lab, kind)
    with closing(psycopg2.connect(lab.urls[lab.source])) as other:
        other.cursor().execute(f"INSERT INTO {written} (id, level) VALUES (%s, %s)", LATE)
        timer = threading.Timer(1.5, other.commit)
        timer.start()
        answer = lab.run()
        timer.join()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading")
        return
    assert_copied(lab, answer, sorted([*ROWS, LATE]))


@on(TO_SQLITE)
@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_of_any_kind_is_copied(lab, kind):  # kind 15
    source(lab, kind)
    assert_copied(lab, lab.run("--batch-size=2"), ROWS)
    assert lab.run().status == "nothing_to_do"
    assert lab.run("--verify").status == "verified"
    assert lab.run("--rollback").code == 0
    assert lab.rows() == []


@on(*FROM_POSTGRESQL)
def test_a_materialized_view_is_copied_as_it_is(lab):  # kind 15
    lab.build("level double precision", ROWS, table="base")
    lab.in_source("CREATE MATERIALIZED VIEW old_reading AS SELECT id, level FROM base")
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading")
        return
    assert_copied(lab, answer, ROWS)


@on(*FROM_POSTGRESQL)
def test_a_key_that_parent_and_child_table_both_hold_is_refused_or_rejected(lab):  # kind 15, C03
    written = source(lab, "inherited")
    lab.in_source("INSERT INTO old_reading VALUES (3, 7.5), (4, 1.0)")
    assert written == "child"
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", "3")
        return
    assert (answer.code, list(lab.rejects())) == (1, [3])
    assert {row for row in lab.rows() if row[0] != 3} == {(1, 0.25), (4, 1.0), (9, 2.25)}


@on(SQLITE, TO_POSTGRESQL)
def test_a_view_in_sqlite_is_copied(lab):  # kind 15
    lab.build("level double precision", ROWS, table="base")
    lab.in_source("CREATE VIEW old_reading AS SELECT id, level FROM base")
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    assert_copied(lab, lab.run("--batch-size=2"), ROWS)


@on(SQLITE, TO_POSTGRESQL)
def test_a_view_in_sqlite_that_computes_its_key_is_copied_refused_or_rejected(lab):  # kind 15
    lab.build("level double precision", ROWS, table="base")
    lab.in_source("CREATE VIEW old_reading AS SELECT id / 2 AS id, level FROM base")  # 1 / 2 = 0, 3 / 2 = 1, 9 / 2 = 4
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading")
        return
    assert_copied(lab, answer, [(0, 0.25), (1, 0.75), (4, 2.25)])
