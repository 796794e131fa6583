"""Kind 0: code that is older than the database repairs nothing."""

import pytest

from tests.cases.verify.report import assert_clean, says
from tests.startup.servers import SUMMARY, serving

OLD = """
class Part(models.Model):
    name = models.CharField(max_length=50, unique=True, null=True)
    legacy = models.IntegerField(default=0)
    note = models.CharField(max_length=20, null=True)

class Tool(models.Model):
    name = models.CharField(max_length=50)
"""
NEWER = {
    "drops a required column": OLD.replace("    legacy = models.IntegerField(default=0)\n", ""),
    "drops a unique constraint": OLD.replace("unique=True, ", ""),
    "deletes a table": OLD.partition("class Tool")[0],
    "widens a column": OLD.replace("max_length=20", "max_length=200"),
    "allows NULL": OLD.replace("default=0", "null=True"),
}
"""What release N+1 does, as its models; release N has OLD."""
FIRST_INDEX = {
    "sqlite": "SELECT min(name) FROM sqlite_master WHERE tbl_name = 'other_thing' AND sql LIKE 'CREATE INDEX%'",
    "postgresql": "SELECT min(indexname) FROM pg_indexes WHERE tablename = 'other_thing' AND indexname !~ 'pkey|like'",
}
RENAMES = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RenameField("part", "legacy", "amount")]
"""


def roll_out(lab, newer, **options):
    """Migrate to release N, then to N+1; go on with the code of release N."""
    lab.create(OLD)
    former = lab.current
    lab.release(lab=newer, **options)
    lab.migrate()
    assert len(lab.recorded()) == 2
    lab.model("Part").objects.create(name="n")
    lab.use(former)


def assert_only_a_warning(lab, report):
    """Assert that a report says that the database is ahead, and nothing else."""
    assert report.code == 0
    assert len(report.counted) == 1, report
    warning = report.counted[0]
    assert (warning["severity"], warning["app"], warning["fixable"]) == ("warning", "lab", False)
    assert lab.recorded()[-1] in says(warning)


@pytest.mark.parametrize("change", NEWER)
def test_old_code_leaves_a_newer_database_alone(lab, change):
    roll_out(lab, NEWER[change])
    before = lab.structure()
    reports = [lab.verify(), lab.fix(), lab.fix("--rewrite"), lab.verify()]
    assert lab.structure() == before
    for report in reports:
        assert_only_a_warning(lab, report)


def test_a_column_that_the_newer_release_renamed_is_not_added_again(lab):
    newer = OLD.replace("legacy =", "amount =")
    roll_out(lab, newer, make=False, migrations={"lab/0002_renames": RENAMES})
    assert_only_a_warning(lab, lab.fix("--rewrite"))
    assert "legacy" not in lab.columns("lab_part")


def test_the_other_apps_of_old_code_are_still_repaired(lab):
    roll_out(lab, NEWER["deletes a table"])
    lab.release(other="class Thing(models.Model):\n    name = models.CharField(max_length=9, db_index=True)\n")
    lab.migrate("other")
    lab.execute("DROP INDEX " + lab.value(FIRST_INDEX[lab.vendor]))
    assert {issue["app"] for issue in lab.verify().counted} == {"lab", "other"}
    assert_only_a_warning(lab, lab.fix())


def test_run_compatibility_fixes_of_old_code_repairs_nothing(project):
    roll_out(project, NEWER["drops a required column"])
    before = project.structure()
    result = project.command("run_compatibility_fixes")
    assert result.code == 0, result
    assert project.structure() == before


@pytest.mark.slow
def test_old_workers_that_restart_in_a_rolling_deploy_undo_nothing(project, tmp_path):
    project.create(OLD)
    old = project.current
    new = project.release(lab=NEWER["drops a required column"])
    project.migrate()
    before = project.structure()
    project.use(old)
    with serving("gunicorn", project.url, tmp_path, **project.variables) as server:
        server.wait_for_log(SUMMARY)
        assert project.recorded()[-1] in server.log
        assert project.structure() == before
        project.use(new)
        with serving("gunicorn", project.url, tmp_path, **project.variables) as other:
            other.wait_for_log(SUMMARY)
            assert project.recorded()[-1] not in other.log
        project.model("Part").objects.create(name="written by the new release")


@pytest.mark.parametrize("replaces", [True, False], ids=["with replaces", "replaces removed"])
def test_records_of_migrations_that_were_squashed_are_not_ahead(lab, replaces):
    lab.create(OLD)
    lab.release(lab=NEWER["drops a required column"])
    lab.migrate()
    assert lab.command("squashmigrations", "lab", "0002", "--noinput", "--no-header", "--skip-checks").code == 0
    lab.use(lab.current)
    lab.migrate()
    first, second, squashed = lab.recorded()
    text = (lab.current / "lab" / "migrations" / f"{squashed}.py").read_text()
    text = text if replaces else text.replace("replaces = ", "_former = ")
    lab.release(migrations={f"lab/{first}": None, f"lab/{second}": None, f"lab/{squashed}": text})
    assert_clean(lab)
    lab.execute("ALTER TABLE lab_part DROP COLUMN note")
    assert lab.fix().code == 0
    assert "note" in lab.columns("lab_part")
