"""Kind 7: an extra constraint that refuses rows of the model is a warning; one that refuses none is not."""

import pytest

from tests.cases.verify.report import assert_clean, says

PART = """
class Part(models.Model):
    code = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=9)
    amount = models.PositiveIntegerField()
    start = models.DateField(null=True)
"""
REFUSING = {
    "a unique index": "CREATE UNIQUE INDEX extra ON lab_part (name)",
    "a unique index on an expression": "CREATE UNIQUE INDEX extra ON lab_part (lower(name))",
    "a unique index on other case": "CREATE UNIQUE INDEX extra ON lab_part (upper(code))",
    "a partial unique index": "CREATE UNIQUE INDEX extra ON lab_part (name) WHERE amount > 3",
    "a unique index on several": "CREATE UNIQUE INDEX extra ON lab_part (name, amount)",
}
REFUSING_ON_POSTGRESQL = {
    "a unique constraint": "UNIQUE (name)",
    "a check": "CHECK (amount < 100)",
    "a check between columns": "CHECK (name <> code)",
    "a check that old rows need not pass": "CHECK (amount < 100) NOT VALID",
    "an exclusion": "EXCLUDE (name WITH =)",
}


def assert_warned(lab, name="extra"):
    report = lab.verify()
    assert report.code == 0
    issue = report.one("lab_part")
    assert issue["severity"] == "warning"
    assert name in says(issue)
    assert lab.verify("--fail-on=warning").code == 1
    before = lab.structure()
    lab.fix("--rewrite")
    assert lab.structure() == before


@pytest.mark.parametrize("index", REFUSING)
def test_an_extra_unique_index_is_a_warning(lab, index):
    lab.create(PART)
    lab.execute(REFUSING[index])
    assert_warned(lab)


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("constraint", REFUSING_ON_POSTGRESQL)
def test_an_extra_constraint_is_a_warning(lab, constraint):
    lab.create(PART)
    lab.execute(f"ALTER TABLE lab_part ADD CONSTRAINT extra {REFUSING_ON_POSTGRESQL[constraint]}")
    assert_warned(lab)


@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize("constraint", ["CONSTRAINT extra UNIQUE (name)", "CONSTRAINT extra CHECK (amount < 100)"])
def test_an_extra_constraint_on_sqlite_is_a_warning(lab, constraint):
    lab.create(PART)
    lab.rebuild("lab_part", ('"start" date NULL)', f'"start" date NULL, {constraint})'))
    assert_warned(lab, "extra" if "CHECK" in constraint else "name")


HARMLESS = {
    "a unique index with the key": "CREATE UNIQUE INDEX extra ON lab_part (id, name)",
    "a unique index with a unique column": "CREATE UNIQUE INDEX extra ON lab_part (code, amount)",
    "a plain index": "CREATE INDEX extra ON lab_part (name)",
}


@pytest.mark.parametrize("index", HARMLESS)
def test_an_extra_index_that_refuses_nothing_is_no_warning(lab, index):
    lab.create(PART)
    lab.execute(HARMLESS[index])
    assert_clean(lab)
