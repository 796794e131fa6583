"""References within the copied table and to tables that another copy brings over."""

import json
from datetime import datetime

import pytest
from django.db import connections
from django.db.models import CASCADE, DO_NOTHING, BigIntegerField, CharField, F, ForeignKey

from tests.cases.copy.api import PERFORMANCE
from tests.cases.copy.judge import assert_copied, assert_named, assert_refused
from tests.cases.copy.routes import ALL, BETWEEN_SERVERS, EACH, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, on
from tests.databases import manage

LAST = 400
CATEGORIES = [(1, 3, "one"), (2, 1, "two"), (3, None, "three")] + [(n, n - 1, f"n{n}") for n in range(4, LAST + 1)]


def tree(lab, rows):
    """Build a source of categories with parents, and declare its copy."""
    lab.build("parent_id bigint, name varchar(20)", rows)
    old = lab.old(parent_id=BigIntegerField(null=True), name=CharField(max_length=20))
    new = lab.new(parent=ForeignKey("self", CASCADE, null=True), name=CharField(max_length=20))
    lab.declare(old, new, "name", parent=F("parent_id"))


def parents(lab):
    """Return the name of each target row with the name of the row that it refers to."""
    return dict(
        lab.sql("SELECT c.name, p.name FROM new_reading c LEFT JOIN new_reading p ON p.id = c.parent_id ORDER BY c.id")
    )


@on(*ALL)
@pytest.mark.parametrize("options", [(), ("--batch-size=50",)], ids=["one batch", "many batches"])
def test_every_row_of_a_tree_arrives_whatever_the_batches(lab, options):  # C11
    tree(lab, CATEGORIES)
    assert (dry := lab.run("--dry-run")).rejected == 0, dry
    assert_copied(lab, lab.run(*options), CATEGORIES, "id, parent_id, name")
    assert lab.run("--verify").status == "verified"


@on(*ALL)
def test_parents_move_with_the_keys_or_the_copy_is_refused(lab):  # C11
    tree(lab, CATEGORIES[:60])
    lab.sql("INSERT INTO new_reading (id, parent_id, name) VALUES (1, NULL, 'live'), (2, 1, 'live 2'), (70, 2, 'l3')")
    answer = lab.run("--batch-size=25")
    if answer.code == 2:
        assert_refused(lab, answer, "parent", rows=3)
        return
    names = {key: name for key, _, name in CATEGORIES}
    expected = {"live": None, "live 2": "live", "l3": "live 2"}
    expected |= {name: names.get(parent) for _, parent, name in CATEGORIES[:60]}
    assert parents(lab) == expected
    assert (answer.code, answer.verified) == (0, True)
    assert lab.run("--verify").status == "verified"
    lab.sql("UPDATE new_reading SET parent_id = 1 WHERE name = 'n20'")
    assert lab.run("--verify").differences["changed"] == 1


@on(*EACH)
def test_a_row_that_refers_to_itself_and_a_circle_arrive(lab):  # C11
    rows = [(1, 1, "self"), (2, 4, "a"), (3, 2, "b"), (4, 3, "c"), (5, None, "root")]
    tree(lab, rows)
    assert_copied(lab, lab.run("--batch-size=2"), rows, "id, parent_id, name")


@on(*EACH)
def test_the_children_of_a_rejected_row_are_rejected_too(lab):  # C11
    tree(lab, [(1, None, "root"), (2, 99, "orphan"), (3, 2, "child"), (4, 3, "grandchild"), (5, 1, "good"), (6, 8, "x"),
               (7, 5, "late"), (8, 99, "orphan 2")])  # fmt: skip
    answer = lab.run("--batch-size=2")
    assert parents(lab) == {"root": None, "good": "root", "late": "good"}
    assert sorted(lab.rejects()) == [2, 3, 4, 6, 8]
    assert (answer.code, answer.rejected, answer.verified) == (1, 5, True)
    for reason in lab.rejects().values():
        assert_named(reason, "parent_id")
    lab.in_source("UPDATE old_reading SET parent_id = 1 WHERE parent_id = 99")
    assert lab.run("--retry-rejected").code == 0
    assert parents(lab)["grandchild"] == "child"
    assert lab.count() == 8


def library(lab):
    """Build old authors and books, and declare a copy of each; books come after authors."""
    lab.build("name varchar(20)", [(1, "Ada"), (2, "Bo"), (7, "Cy")], table="old_author")
    lab.build("author_id bigint, title varchar(20)", [(1, 7, "c"), (2, 1, "a"), (3, 2, "b"), (4, None, "none")])
    old_author = lab.model("OldAuthor", "old_author", name=CharField(max_length=20))
    author = lab.create(lab.model("Author", "author", managed=True, name=CharField(max_length=20)))
    old = lab.old(
        author=ForeignKey(old_author, DO_NOTHING, null=True, db_constraint=False, related_name="+"),
        title=CharField(max_length=20),
    )
    new = lab.new(author=ForeignKey(author, CASCADE, null=True), title=CharField(max_length=20))
    authors = lab.declare(old_author, author, "name", called="authors")
    lab.declare(old, new, "title", author=F("author_id"), called="books", after=(authors,))
    return authors


def writers(lab):
    """Return the name of each book's author."""
    return dict(lab.sql("SELECT title, name FROM new_reading b LEFT JOIN author a ON a.id = b.author_id"))


@on(*ALL)
@pytest.mark.parametrize("live", [False, True], ids=["empty target", "live rows"])
def test_a_reference_follows_the_rows_that_another_copy_moved(lab, live):  # kind 4
    authors = library(lab)
    if live:
        lab.sql("INSERT INTO author (id, name) VALUES (1, 'live 1'), (2, 'live 2'), (7, 'live 7')")
    of_authors = lab.run(copy=authors)
    answer = lab.run()
    if answer.code == 2:
        assert live, answer
        assert_refused(lab, answer, "author")
        return
    assert of_authors.code == 0
    assert writers(lab) == {"a": "Ada", "b": "Bo", "c": "Cy", "none": None}
    assert (answer.code, answer.verified) == (0, True)
    assert lab.run("--verify").status == "verified"


@on(TO_POSTGRESQL, TO_SQLITE, BETWEEN_SERVERS)
def test_parents_come_first_by_themselves_between_databases(lab):  # kind 4
    library(lab)
    answer = lab.run()
    assert writers(lab) == {"a": "Ada", "b": "Bo", "c": "Cy", "none": None}, answer
    assert (answer.code, answer.verified) == (0, True)


@on(SQLITE, POSTGRESQL, BETWEEN_SERVERS)
def test_a_reference_that_was_turned_to_another_row_is_a_difference(lab):  # kind 4
    authors = library(lab)
    lab.run(copy=authors)
    assert lab.run().code == 0
    lab.sql("UPDATE new_reading SET author_id = 2 WHERE title = 'c'")
    assert lab.run("--verify").differences["changed"] == 1


OLD = {
    "devices": "CREATE TABLE devices (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, ip_address VARCHAR(45))",
    "device_types": "CREATE TABLE device_types (id INTEGER PRIMARY KEY, name VARCHAR(64) NOT NULL, "
    "description VARCHAR(200))",
    "performance_data": "CREATE TABLE performance_data (id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL, "
    "cpu_usage FLOAT, memory_usage FLOAT, timestamp TIMESTAMP)",
}


def readings(lab, *tables):
    """Build these tables of the earlier application in the source, with two readings of two devices."""
    for table in tables:
        lab.in_source(OLD[table])
    if "devices" in tables:
        lab.in_source("INSERT INTO devices VALUES (1, 'a', '10.0.0.1'), (2, 'b', '10.0.0.2')")
    lab.fill([(1, 1, 0.5, 1.5, datetime(2024, 1, 1)), (2, 2, 2.5, None, datetime(2024, 1, 2))], "performance_data")  # noqa: DTZ001
    lab.declared = PERFORMANCE


@on(TO_POSTGRESQL, TO_SQLITE, BETWEEN_SERVERS)
def test_an_absent_parent_that_nothing_refers_to_is_skipped(lab, caplog):  # kind 11
    readings(lab, "devices", "performance_data")
    assert (dry := lab.run("--dry-run")).copied == 2, dry
    answer = lab.run()
    found = lab.sql("SELECT id, device_id, cpu_usage FROM performance_records ORDER BY id")
    assert (found, answer.code, answer.verified) == ([(1, 1, 0.5), (2, 2, 2.5)], 0, True)
    assert_named(answer.text + caplog.text, "device_types")
    assert lab.run().status == "nothing_to_do"
    assert lab.run("--verify").status == "verified"
    assert lab.run("--rollback").code == 0
    assert lab.count("devices") == 0


@on(TO_POSTGRESQL)
def test_an_absent_parent_is_skipped_by_a_real_process_too(lab):  # kind 11
    readings(lab, "devices", "performance_data")
    result = manage(
        "migrate_performance", "--source=legacy", "--format=json",
        url=lab.urls["default"], LEGACY_DATABASE_URL=lab.urls["legacy"],
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["copied"] == 2
    lines = [line for line in result.stderr.splitlines() if "device_types" in line]
    assert len(lines) == 1, result.stderr


@on(TO_POSTGRESQL, TO_SQLITE)
def test_an_absent_parent_that_rows_refer_to_is_refused_or_its_rows_are_rejected(lab):  # kind 11
    readings(lab, "performance_data")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "devices", table="performance_records")
        return
    assert (answer.code, sorted(lab.rejects()), lab.count("performance_records")) == (1, [1, 2], 0)


@on(TO_POSTGRESQL, TO_SQLITE)
def test_rows_whose_parents_are_in_the_target_need_none_in_the_source(lab):  # kind 11
    readings(lab, "performance_data")
    for key in (1, 2):
        lab.sql("INSERT INTO devices (id, name, ip_address) VALUES (%s, %s, %s)", (key, f"d{key}", f"10.0.0.{key}"))
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "devices", table="performance_records")
        return
    assert (answer.code, lab.count("performance_records")) == (0, 2)


@on(TO_POSTGRESQL, TO_SQLITE, BETWEEN_SERVERS)
def test_an_absent_parent_behind_an_optional_reference_is_skipped(lab, caplog):  # kind 11
    library(lab)
    lab.in_source("DROP TABLE old_author")
    lab.in_source("UPDATE old_reading SET author_id = NULL")
    answer = lab.run()
    assert writers(lab) == dict.fromkeys(["a", "b", "c", "none"]), answer
    assert (answer.code, answer.verified) == (0, True)
    assert_named(answer.text + caplog.text, "old_author")


def test_a_missing_source_table_is_still_refused(lab):  # kind 11
    readings(lab, "performance_data")
    lab.sql("DROP TABLE performance_data")
    answer = lab.run()
    assert_refused(lab, answer, "performance_data", table="performance_records")
    assert connections["default"].introspection.table_names()
