"""Kind 6: keys that restrict or cascade by themselves; one statement for each, however many there are."""

import pytest

from tests.cases.verify.report import assert_clean, says

ACTIONS = [
    "ON UPDATE RESTRICT ON DELETE RESTRICT",
    "ON DELETE CASCADE",
    "ON DELETE SET NULL",
    "ON UPDATE CASCADE",
    "ON DELETE RESTRICT",
]
"""What MySQL, Laravel, Rails, Prisma and SQLAlchemy write."""
LIBRARY = "class Author(models.Model):\n    name = models.CharField(max_length=9)\n\n" + "".join(
    f"class Book{number}(models.Model):\n    author = models.ForeignKey(Author, models.CASCADE, null=True)\n\n"
    for number in range(len(ACTIONS))
)
NOT_DJANGOS = {
    "sqlite": "SELECT count(*) FROM sqlite_master AS t, pragma_foreign_key_list(t.name) WHERE t.type = 'table' "
    "AND (on_delete <> 'NO ACTION' OR on_update <> 'NO ACTION')",
    "postgresql": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' "
    "AND (confdeltype <> 'a' OR confupdtype <> 'a' OR NOT condeferred)",
}


def give_actions(lab, table, column, action):
    if lab.vendor == "sqlite":
        declared = f'"{column}" bigint NULL REFERENCES "lab_author" ("id")'
        lab.redeclare(table, (f"{declared} DEFERRABLE INITIALLY DEFERRED", f"{declared} {action}"))
        return
    key = f"FOREIGN KEY ({column}) REFERENCES lab_author (id) {action}"
    lab.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT {lab.constraint(table, 'f', column)}",
        f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{column} {key}",
    )


@pytest.fixture
def library(lab):
    lab.create(LIBRARY)
    for number, action in enumerate(ACTIONS):
        give_actions(lab, f"lab_book{number}", "author_id", action)
    lab.execute("INSERT INTO lab_author (name) VALUES ('a')", "INSERT INTO lab_book1 (author_id) VALUES (1)")
    return lab


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_each_key_is_told_once_with_one_statement_that_runs(library):
    report = library.verify("--fail-on=warning")
    assert report.code == 1
    assert sorted(issue["table"] for issue in report.counted) == [f"lab_book{number}" for number in range(len(ACTIONS))]
    for issue in report.counted:
        assert issue["kind"] == "foreign_key"
        assert len(issue["sql"]) == 1
    library.execute(*report.offered)
    assert_clean(library)
    assert library.value(NOT_DJANGOS[library.vendor]) == 0
    assert library.rows("SELECT author_id FROM lab_book1") == [(1,)]


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_each_key_on_sqlite_is_told_once_and_the_advice_corrects_all(library):
    report = library.verify("--fail-on=warning")
    assert sorted(issue["table"] for issue in report.counted) == [f"lab_book{number}" for number in range(len(ACTIONS))]
    assert library.follow().code == 0
    assert library.value(NOT_DJANGOS[library.vendor]) == 0
    assert library.rows("SELECT author_id FROM lab_book1") == [(1,)]


def test_dozens_of_keys_of_one_table_are_corrected_at_once(lab):
    fields = "".join(
        f"    a{number} = models.ForeignKey(Author, models.CASCADE, null=True, related_name='+')\n"
        for number in range(24)
    )
    lab.create(LIBRARY.partition("class Book0")[0] + f"class Book(models.Model):\n{fields}")
    for number in range(24):
        give_actions(lab, "lab_book", f"a{number}_id", ACTIONS[number % len(ACTIONS)])
    lab.execute("INSERT INTO lab_author (name) VALUES ('a')", "INSERT INTO lab_book (a0_id, a23_id) VALUES (1, 1)")
    assert len(lab.verify("--fail-on=warning").about("lab_book")) == 24
    assert lab.follow().code == 0
    assert lab.value(NOT_DJANGOS[lab.vendor]) == 0
    assert lab.rows("SELECT a0_id, a23_id, a1_id FROM lab_book") == [(1, 1, None)]


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE RESTRICT ON UPDATE CASCADE"])
def test_a_second_key_that_cascades_beside_djangos_is_told_with_its_statement(lab, action):
    lab.create(LIBRARY)
    if lab.vendor == "sqlite":
        end = "DEFERRABLE INITIALLY DEFERRED)"
        key = f'{end[:-1]}, CONSTRAINT second FOREIGN KEY ("author_id") REFERENCES "lab_author" ("id") {action})'
        lab.redeclare("lab_book0", (end, key))
    else:
        key = f"FOREIGN KEY (author_id) REFERENCES lab_author (id) {action}"
        lab.execute(f"ALTER TABLE lab_book0 ADD CONSTRAINT second {key}")
    issue = lab.verify("--fail-on=warning").one("lab_book0")
    assert "second" in says(issue)
    assert lab.follow().code == 0
    assert lab.value(NOT_DJANGOS[lab.vendor]) == 0


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_orphans_behind_a_key_that_is_not_valid_are_named(lab):
    lab.create(LIBRARY)
    name = lab.constraint("lab_book0", "f")
    key = "FOREIGN KEY (author_id) REFERENCES lab_author (id) ON DELETE CASCADE"
    lab.execute(
        f"ALTER TABLE lab_book0 DROP CONSTRAINT {name}",
        "INSERT INTO lab_book0 (author_id) VALUES (99)",
        f"ALTER TABLE lab_book0 ADD CONSTRAINT {name} {key} NOT VALID",
    )
    issue = lab.fix("--rewrite").one("lab_book0")
    assert not issue["fixable"]
    assert "99" in says(issue)
    assert lab.value("SELECT count(*) FROM lab_book0") == 1
