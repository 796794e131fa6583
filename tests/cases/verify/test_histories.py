"""Kind 5: a history that went wrong is told in a line or in findings, never in a traceback."""

import json
import re

import pytest

from tests.cases.verify.report import Report, assert_clean, says

PART = """
class Part(models.Model):
    code = models.CharField(max_length=9)
    amount = models.IntegerField(null=True, db_index=True)
"""
WIDER = PART + "    note = models.TextField(null=True)\n"
EMPTY = """
class Migration(migrations.Migration):
    dependencies = [{parent}]
    operations = [{operation}]
"""


def migration(*parents, operation=""):
    return EMPTY.format(parent=", ".join(map(repr, parents)), operation=operation)


INITIAL, SECOND = ("lab", "0001_initial"), ("lab", "0002_second")
GONE = "models.ForeignKey('gone.Owner', models.CASCADE, null=True)"
BROKEN = {
    "a syntax error": ({"lab/0002_second": "def"}, ["0002_second"]),
    "an import that fails": ({"lab/0002_second": "import no_such_module"}, ["no_such_module"]),
    "no class": ({"lab/0002_second": "pass"}, ["0002_second"]),
    "a parent that is gone": ({"lab/0002_second": migration(("lab", "0001_gone"))}, ["0001_gone"]),
    "a parent in an app that is gone": ({"lab/0002_second": migration(INITIAL, ("gone", "0001_initial"))}, ["gone"]),
    "a circle": (
        {"lab/0002_second": migration(("lab", "0003_third")), "lab/0003_third": migration(SECOND)},
        ["0002_second", "0003_third"],
    ),
    "two ends": (
        {"lab/0002_second": migration(INITIAL), "lab/0002_other": migration(INITIAL)}, ["0002_second", "0002_other"],
    ),
    "a field that is not there": (
        {"lab/0002_second": migration(INITIAL, operation="migrations.RemoveField('part', 'nothing')")}, ["nothing"],
    ),
    "a model that is not there": (
        {"lab/0002_second": migration(INITIAL, operation="migrations.DeleteModel('Nothing')")}, ["nothing"],
    ),
    "a key to an app that is gone": (
        {"lab/0002_second": migration(INITIAL, operation=f"migrations.AddField('part', 'owner', {GONE})")}, ["gone"],
    ),
}  # fmt: skip


def told(result):
    """Return what a command says in its findings, or in one line and in the JSON when it could not verify."""
    report = Report(result)
    assert report.code in {1, 2}, report
    if report.code == 1:
        return report, " ".join(map(says, report.counted))
    assert report.data["status"] == "unverifiable"
    assert len(report.err.strip().splitlines()) == 1, report.err
    return report, report.data["error"]


@pytest.mark.parametrize("vendor", ["sqlite"])  # the files are read in the same way whatever the database
@pytest.mark.parametrize("recorded", [False, True], ids=["waiting", "recorded"])
@pytest.mark.parametrize("history", BROKEN)
def test_migrations_that_cannot_be_read_are_told_without_a_traceback(lab, history, recorded):
    sources, names = BROKEN[history]
    lab.create(PART)
    lab.execute("ALTER TABLE lab_part RENAME COLUMN code TO other")
    lab.release(migrations=sources)
    if recorded:
        values = ", ".join(f"('lab', '{source.removeprefix('lab/')}', '2024-01-01')" for source in sources)
        lab.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES {values}")
    before = lab.structure()
    for arguments in ([], ["--fix", "--dry-run"]):
        report, said = told(lab.command("verify_structure", "--format=json", *arguments))
        for name in names if report.code == 2 else ["code"]:
            assert name in said.lower()
    assert lab.structure() == before
    assert lab.command("verify_structure").code == report.code


LOST = {
    "the first record": "DELETE FROM django_migrations WHERE name = '0001_initial'",
    "the record of another app": "DELETE FROM django_migrations WHERE app = 'base'",
}


@pytest.mark.parametrize("lost", LOST)
def test_a_record_without_that_of_its_parent_is_told(lab, lost):
    lab.release(base="class Owner(models.Model):\n    pass\n")
    lab.create(PART + "    owner = models.ForeignKey('base.Owner', models.CASCADE, null=True)\n")
    lab.release(lab=WIDER + "    owner = models.ForeignKey('base.Owner', models.CASCADE, null=True)\n")
    lab.migrate()
    lab.execute(LOST[lost])
    _, said = told(lab.command("verify_structure", "--format=json", "--fail-on=warning"))
    assert "0001_initial" in said
    before = lab.structure()
    lab.fix("--rewrite")
    assert lab.structure() == before


# A user model that was swapped in mid-project

ACCOUNTS = """
from django.contrib.auth.models import AbstractUser

class User(AbstractUser):
    pass
"""


@pytest.fixture
def swapped(project):
    """The migrated project with a user model of its own, which no migration has made."""
    project.settings = 'AUTH_USER_MODEL = "accounts.User"'
    project.release(accounts=ACCOUNTS)
    return project


@pytest.mark.parametrize("arguments", [[], ["--fix"]], ids=["verify", "fix"])
def test_a_swapped_user_model_is_told_without_a_traceback(swapped, arguments):
    before = swapped.rows("SELECT count(*) FROM auth_user")
    _, said = told(swapped.process("verify_structure", "--format=json", *arguments))
    assert "admin" in said
    assert "accounts" in said
    assert swapped.rows("SELECT count(*) FROM auth_user") == before


def test_the_leftovers_of_a_swapped_user_model_can_be_repaired(swapped):
    swapped.execute(
        "CREATE TABLE accounts_user AS SELECT * FROM auth_user",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '0001_initial', '2024-01-01')",
    )
    for _ in range(4):
        report = Report(swapped.process("verify_structure", "--format=json", "--fix", "--rewrite"))
        if not report.counted:
            break
        swapped.execute(*report.offered)
    report = Report(swapped.process("verify_structure", "--format=json"))
    assert report.code == 0, report
    parent = {
        "sqlite": "SELECT \"table\" FROM pragma_foreign_key_list('django_admin_log') WHERE \"from\" = 'user_id'",
        "postgresql": "SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' "
        "AND conrelid = 'django_admin_log'::regclass AND pg_get_constraintdef(oid) ~ 'user_id'",
    }[swapped.vendor]
    assert swapped.value(parent) == "accounts_user"


# Keys to tables that were renamed away

BOOK = """
class Author(models.Model):
    name = models.CharField(max_length=9)

class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
    readers = models.ManyToManyField(Author, related_name="read")
"""


@pytest.fixture
def library(lab):
    lab.create(BOOK)
    lab.execute(
        "INSERT INTO lab_author (id, name) VALUES (1, 'a'), (2, 'b')",
        "INSERT INTO lab_book (id, author_id) VALUES (1, 1), (2, 2)",
        "INSERT INTO lab_book_readers (book_id, author_id) VALUES (1, 2)",
    )
    return lab


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize("gone", ["lab_author__old", "new__lab_author", "lab_author_backup"])
@pytest.mark.parametrize("table", ["lab_book", "lab_book_readers"])
def test_a_key_to_a_table_that_was_renamed_away_is_repaired(library, gone, table):
    library.redeclare(table, ('REFERENCES "lab_author"', f'REFERENCES "{gone}"'))
    issue = library.verify().one(table)
    assert issue["code"] == "compat.E014"
    assert gone in says(issue)
    before = library.rows(f"SELECT * FROM {table}")
    report = library.fix()
    assert report.code == 0, report
    assert library.rows(f"SELECT * FROM {table}") == before
    library.execute("PRAGMA foreign_keys = ON; INSERT INTO lab_book (id, author_id) VALUES (3, 2)")
    library.execute("PRAGMA foreign_keys = ON; INSERT INTO lab_book_readers (book_id, author_id) VALUES (3, 2)")
    assert_clean(library)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_orphans_behind_a_key_to_a_table_that_is_gone_are_named(library):
    library.redeclare("lab_book", ('REFERENCES "lab_author"', 'REFERENCES "lab_author__old"'))
    library.execute("PRAGMA foreign_keys = OFF; INSERT INTO lab_book (id, author_id) VALUES (77, 99)")
    issue = library.fix("--rewrite").one("lab_book")
    assert (issue["code"], issue["fixable"]) == ("compat.E014", False)
    assert "99" in says(issue)
    assert library.value("SELECT count(*) FROM lab_book") == 3


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_key_from_before_django_2_is_made_deferrable(library):
    library.redeclare("lab_book", (" DEFERRABLE INITIALLY DEFERRED", ""))
    assert library.verify("--fail-on=warning").one("lab_book")["code"] == "compat.W014"
    assert library.follow().code == 0
    assert "DEFERRABLE" in library.value("SELECT sql FROM sqlite_master WHERE name = 'lab_book'")


# The same constraint twice

PAIR = """
class Pair(models.Model):
    left = models.IntegerField()
    right = models.IntegerField()

    class Meta:
        {pair}
"""
TOGETHER = PAIR.format(pair='unique_together = [("left", "right")]')
SECOND_UNIQUE = {
    "sqlite": 'CREATE UNIQUE INDEX second ON lab_pair ("left", "right")',
    "postgresql": 'ALTER TABLE lab_pair ADD CONSTRAINT second UNIQUE ("left", "right")',
}


def test_a_doubled_unique_constraint_is_told_before_a_migration_fails_on_it(lab):
    lab.create(TOGETHER)
    lab.execute(SECOND_UNIQUE[lab.vendor])
    report = lab.verify("--fail-on=warning")
    assert report.code == 1
    issue = report.one("lab_pair")
    assert issue["severity"] == "warning"
    assert "second" in says(issue)
    lab.execute(*issue["sql"])
    assert_clean(lab)
    lab.release(lab=TOGETHER.replace('[("left", "right")]', "[]"))
    lab.migrate()
    lab.execute('INSERT INTO lab_pair ("left", "right") VALUES (1, 1), (1, 1)')


def test_three_unique_constraints_on_the_same_columns_leave_one(lab):
    lab.create(TOGETHER)
    lab.execute(SECOND_UNIQUE[lab.vendor], SECOND_UNIQUE[lab.vendor].replace("second", "third"))
    report = lab.verify("--fail-on=warning")
    said = " ".join(map(says, report.about("lab_pair")))
    assert "second" in said
    assert "third" in said
    lab.execute(*report.offered)
    assert_clean(lab)
    with pytest.raises(Exception, match=re.compile("unique", re.IGNORECASE)):
        lab.execute('INSERT INTO lab_pair ("left", "right") VALUES (1, 1), (1, 1)')


def test_the_json_of_an_unverifiable_database_carries_the_reason(lab):
    lab.create(PART)
    lab.release(migrations={"lab/0002_second": migration(("lab", "0001_gone"))})
    lab.execute("DROP TABLE lab_part")
    result = lab.command("verify_structure", "--format=json")
    assert result.code == 2
    assert json.loads(result.out)["error"] in result.err
