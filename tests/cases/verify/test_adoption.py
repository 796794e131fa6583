"""Kind 4: an adopted project stays usable at every step."""

import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from tests.cases.verify.report import says


def assert_consistent():
    """Assert that every recorded migration has all that it depends on; Django itself asks before it migrates."""
    loader = MigrationLoader(connections["default"])
    loader.check_consistent_history(connections["default"])
    applied = set(loader.applied_migrations)
    for key in applied & set(loader.graph.nodes):
        assert {parent.key for parent in loader.graph.node_map[key].parents} <= applied
    connections["default"].close()


@pytest.fixture
def doubled(project):
    """A database without history in which one user name is there twice, so that `auth` cannot be recorded."""
    if project.vendor == "sqlite":
        project.rebuild("auth_user", (" UNIQUE", ""))
    else:
        project.execute(f"ALTER TABLE auth_user DROP CONSTRAINT {project.constraint('auth_user', 'u')}")
    name = "false, false, false, now()" if project.vendor == "postgresql" else "0, 0, 0, '2024-01-01'"
    columns = "username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined"
    for _ in range(2):
        project.execute(f"INSERT INTO auth_user ({columns}) VALUES ('ada', '', '', '', '', {name})")
    project.execute("DROP TABLE django_migrations")
    project.release()
    return project


def test_nothing_is_recorded_without_what_it_depends_on(doubled):
    for _ in range(2):
        report = doubled.fix("--rewrite")
        assert report.code == 1
        assert "ada" in " ".join(says(issue) for issue in report.about("auth_user"))
        assert_consistent()
    assert doubled.recorded("auth") == doubled.recorded("admin") == []
    assert doubled.verify().code == 1


def test_a_project_that_waits_for_a_person_goes_on_working(doubled):
    doubled.fix()
    result = doubled.command("run_compatibility_fixes")
    assert result.code == 1
    assert "auth_user" in result.out + result.err
    assert Client().get("/health/").status_code in {200, 503}
    assert doubled.command("showmigrations", "--skip-checks").code == 0


def test_an_adoption_is_completed_once_the_rows_are_corrected(doubled):
    doubled.fix("--rewrite")
    doubled.execute("UPDATE auth_user SET username = 'bob' WHERE id = (SELECT max(id) FROM auth_user)")
    report = doubled.fix("--rewrite")
    assert report.code == 0, report
    assert_consistent()
    doubled.migrate()
    assert doubled.command("migrate", "--check", "--skip-checks").code == 0


BASE = "class Root(models.Model):\n    name = models.CharField(max_length=9, unique=True)\n"
LEAF = "class Leaf(models.Model):\n    root = models.ForeignKey('lab.Root', models.CASCADE)\n"


@pytest.mark.parametrize("between", [False, True], ids=["directly", "through another app"])
def test_an_app_whose_parent_is_not_recorded_waits_too(lab, between):
    apps = {"lab": BASE, "leaf": LEAF}
    if between:
        apps |= {"middle": LEAF, "leaf": LEAF.replace("lab.Root", "middle.Leaf")}
    lab.release(**apps)
    lab.migrate()
    if lab.vendor == "sqlite":
        lab.rebuild("lab_root", (" UNIQUE", ""))
    else:
        lab.execute(f"ALTER TABLE lab_root DROP CONSTRAINT {lab.constraint('lab_root', 'u')}")
    lab.execute("INSERT INTO lab_root (id, name) VALUES (1, 'a'), (2, 'a')", "DROP TABLE django_migrations")
    assert lab.fix("--rewrite").code == 1
    assert_consistent()
    assert [name for app in apps for name in lab.recorded(app)] == []
    lab.execute("DELETE FROM lab_root WHERE id = 2")
    assert lab.fix("--rewrite").code == 0
    assert all(lab.recorded(app) == ["0001_initial"] for app in apps)


IGNORED = {
    "uniqueness": ("compat.E015", "lab_part"),
    "a column": ("compat.E003", "lab_part"),
    "an index": ("compat.W018", "lab_part"),
}


@pytest.mark.parametrize("what", IGNORED)
def test_an_accepted_finding_is_not_equal_for_an_adoption(lab, settings, what):
    code, table = IGNORED[what]
    amount = "" if what == "a column" else "amount integer, "
    lab.adopt(
        """
        class Part(models.Model):
            code = models.CharField(max_length=9)
            amount = models.IntegerField(null=True)

            class Meta:
                indexes = [models.Index(fields=["code"], name="by_code")]
                constraints = [models.UniqueConstraint(fields=["code"], name="one_code")]
        """,
        f"CREATE TABLE lab_part (id {lab.key}, {amount}code varchar(9) NOT NULL)",
    )
    settings.COMPAT_STRUCTURE_IGNORE = [{"code": code, "table": table, "reason": "as it is"}]
    lab.execute(
        *(["CREATE UNIQUE INDEX one_code ON lab_part (code)"] if what != "uniqueness" else []),
        *(["CREATE INDEX by_code ON lab_part (code)"] if what != "an index" else []),
    )
    lab.fix("--rewrite")
    assert lab.recorded() == []


FLASK = """
class Author(models.Model):
    name = models.CharField(max_length=50)

class Book(models.Model):
    title = models.CharField(max_length=100, unique=True)
    author = models.ForeignKey(Author, models.CASCADE{null})
    published = models.BooleanField(default=False)
"""
BY_FLASK = """
CREATE TABLE lab_author (id {key}, name VARCHAR(50) NOT NULL, PRIMARY KEY (id));
CREATE TABLE lab_book (id {key}, title VARCHAR(100), author_id INTEGER, published BOOLEAN, PRIMARY KEY (id),
    UNIQUE (title), FOREIGN KEY(author_id) REFERENCES lab_author (id) {action});
INSERT INTO lab_author (name) VALUES ('Ada'), ('Alan');
INSERT INTO lab_book (title, author_id, published) VALUES ('a', 1, {true}), ('b', 2, {false})
"""


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE ON DELETE CASCADE"])
def test_the_advice_on_a_flask_database_ends_in_an_adopted_one(lab, action):
    true, false = ("1", "0") if lab.vendor == "sqlite" else ("true", "false")
    key = "INTEGER NOT NULL" if lab.vendor == "sqlite" else "SERIAL NOT NULL"
    lab.adopt(FLASK.format(null=""), BY_FLASK.format(key=key, action=action, true=true, false=false))
    report = lab.follow()
    assert report.code == 0, report
    assert lab.recorded() == ["0001_initial"]
    lab.migrate()
    books = lab.model("Book").objects.order_by("pk").values_list("title", "author__name", "published")
    assert list(books) == [("a", "Ada", True), ("b", "Alan", False)]
    assert lab.value(CASCADES[lab.vendor]) == 0


CASCADES = {
    "sqlite": "SELECT count(*) FROM pragma_foreign_key_list('lab_book') WHERE on_delete <> 'NO ACTION'",
    "postgresql": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND (confdeltype, confupdtype) <> ('a', 'a')",
}
