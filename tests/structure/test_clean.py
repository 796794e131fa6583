"""A database that Django itself has made shows no difference: the first promise."""

import pytest

from compat.structure.findings import Severity
from compat.structure.verify import verify


def told(report):
    return [(issue.code, issue.table, issue.message) for issue in report.issues]


def test_a_migrated_project_has_no_findings(migrated):
    report = verify()
    assert report.status == "ok"
    assert told(report) == [("compat.I001", "performance_data", "The table is missing; Django does not manage it.")]


def test_every_field_constraint_and_index_of_django_is_recognised(torture):
    report = verify()
    assert [finding for finding in told(report) if not finding[0].startswith("compat.I")] == []
    assert report.status == "ok"


@pytest.mark.parametrize("label", ["torture", "history", "torture.Line", "auth.user"])
def test_labels_limit_the_tables(torture, label):
    report = verify(labels=[label])
    assert report.status == "ok"
    assert 0 < report.tables < verify().tables
    assert not report.reaches(Severity.WARNING)
