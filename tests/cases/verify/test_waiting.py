"""Kind 9: no repair waits on itself or for ever, takes a long lock unasked, or needs a home directory."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cases.verify.report import Report, assert_clean

PART = """
class Part(models.Model):
    code = models.CharField(max_length=9, db_index=True)
    amount = models.IntegerField(null=True)
    note = models.TextField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "amount"], name="one_each")]
"""


def damage(lab):
    """Take away an index, a unique constraint and a column."""
    lab.create(PART)
    lab.execute("INSERT INTO lab_part (code, amount) VALUES ('a', 1), ('b', 2)")
    lab.execute(f"DROP INDEX {lab.value(INDEX[lab.vendor])}", "ALTER TABLE lab_part DROP COLUMN note")
    if lab.vendor == "postgresql":
        lab.execute("ALTER TABLE lab_part DROP CONSTRAINT one_each")


INDEX = {
    "sqlite": "SELECT name FROM sqlite_master WHERE tbl_name = 'lab_part' AND sql LIKE 'CREATE INDEX%'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE tablename = 'lab_part' AND indexdef LIKE '%(code)'",
}
LARGE = "COMPAT_STRUCTURE_LARGE_TABLE = 1  # byte: build indexes without blocking writers"
SESSIONS = {
    "repeatable read": ({"default_transaction_isolation": "repeatable read"}, LARGE),
    "serializable": ({"default_transaction_isolation": "serializable"}, LARGE),
    "an idle transaction ends": ({"idle_in_transaction_session_timeout": "200ms"}, LARGE),
    "an idle session ends": ({"idle_session_timeout": "200ms"}, LARGE),
    "short statements": ({"statement_timeout": "150ms"}, ""),
    "short locks": ({"lock_timeout": "50ms"}, ""),
}


def fill(lab, settings=""):
    lab.settings = settings
    damage(lab)
    lab.execute("INSERT INTO lab_part (code, amount) SELECT 'c', n FROM generate_series(1, 200000) n")


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("session", SESSIONS)
def test_a_repair_ends_whatever_the_defaults_of_a_session(lab, session):
    parameters, settings = SESSIONS[session]
    fill(lab, settings)
    lab.configure(**parameters)
    report = Report(lab.process("verify_structure", "--fix", "--format=json"))
    assert report.code == 0, report
    assert_clean(lab)


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("timeout", ["0", "50ms"], ids=["idle transactions stay", "idle transactions end"])
def test_two_repairs_at_once_both_succeed(lab, timeout):
    fill(lab, LARGE)
    lab.configure(idle_in_transaction_session_timeout=timeout)
    with ThreadPoolExecutor() as pool:
        repairs = [pool.submit(lab.process, "verify_structure", "--fix", "--format=json") for _ in range(2)]
        reports = [Report(repair.result()) for repair in repairs]
    assert [report.code for report in reports] == [0, 0], reports
    assert_clean(lab)
    assert lab.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'lab_part'") == 4


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_run_compatibility_fixes_ends_at_every_isolation_level(project, level):
    project.settings = LARGE
    damage(project)
    project.configure(default_transaction_isolation=level)
    result = project.process("run_compatibility_fixes")
    assert result.code == 0, result
    assert_clean(project)


HOMES = {"none": None, "a folder that cannot be made": "/dev/null/home", "a folder that is gone": "/nonexistent"}


@pytest.mark.parametrize("home", HOMES)
def test_a_user_without_a_name_or_a_home_verifies_and_repairs(lab, monkeypatch, home):
    def unknown(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    damage(lab)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME", "USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    if HOMES[home]:
        monkeypatch.setenv("HOME", HOMES[home])
    assert lab.verify().code == 1
    assert lab.fix().code == 0
    assert_clean(lab)


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "TMPDIR"])
def test_a_folder_that_cannot_be_written_does_not_matter(lab, monkeypatch, variable):
    damage(lab)
    monkeypatch.setenv(variable, "/dev/null/folder")
    monkeypatch.setattr("tempfile.tempdir", None)
    assert lab.fix().code == 0
    assert_clean(lab)


# Repairs that write a table anew or hold a long lock

VOLATILE = """
from django.db.models.functions import Random

class Clock(models.Func):
    template = "clock_timestamp()"
    output_field = models.DateTimeField()

class Token(models.Func):
    template = "gen_random_uuid()"
    output_field = models.UUIDField()

class Part(models.Model):
    name = models.CharField(max_length=9)
    {field}
"""
REWRITING = {
    "a random token": "added = models.UUIDField(db_default=Token())",
    "the clock": "added = models.DateTimeField(db_default=Clock())",
    "a random number": "added = models.FloatField(db_default=Random())",
    "a generated column": "added = models.GeneratedField("
    "expression=Lower('name'), output_field=models.TextField(), db_persist=True)",
}
INSTANT = {
    "a constant": "added = models.IntegerField(db_default=7)",
    "the time of the transaction": "added = models.DateTimeField(db_default=Now())",
    "no value": "added = models.UUIDField(null=True)",
}


def lose_the_column(lab, field):
    lab.create(VOLATILE.format(field=field))
    lab.execute("ALTER TABLE lab_part DROP COLUMN added", "INSERT INTO lab_part (name) VALUES ('A'), ('B')")
    lab.count_rewrites()


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("column", REWRITING)
def test_a_column_that_rewrites_the_table_waits_for_the_option(lab, column):
    lose_the_column(lab, REWRITING[column])
    report = lab.fix()
    assert lab.rewrites("lab_part") == 0
    assert report.code == 1
    issue = report.one("lab_part", "added")
    assert (issue["fixable"], issue["needs_rewrite"]) == (True, True)
    assert lab.fix("--rewrite").code == 0
    assert lab.value("SELECT count(added) FROM lab_part") == 2


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("column", INSTANT)
def test_a_column_that_rewrites_nothing_is_added_at_once(lab, column):
    lose_the_column(lab, INSTANT[column])
    issue = lab.verify().one("lab_part", "added")
    assert (issue["fixable"], issue["needs_rewrite"]) == (True, False)
    assert lab.fix().code == 0
    assert lab.rewrites("lab_part") == 0


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_starting_server_does_not_rewrite_a_table(project):
    lose_the_column(project, REWRITING["a random token"])
    assert project.command("run_compatibility_fixes").code == 1
    assert project.rewrites("lab_part") == 0
    assert "added" not in project.columns("lab_part")


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_key_without_its_numbers_is_not_added_unasked(lab):
    lab.create("class Part(models.Model):\n    name = models.CharField(max_length=9)\n")
    lab.execute("ALTER TABLE lab_part DROP COLUMN id", "INSERT INTO lab_part (name) VALUES ('A'), ('B')")
    lab.count_rewrites()
    lab.fix()
    assert lab.rewrites("lab_part") == 0
    lab.follow()
    assert lab.rows("SELECT name FROM lab_part ORDER BY name") == [("A",), ("B",)]
