"""A database that Django itself has made shows no difference: the first promise."""

import pytest
from django.db import connection, models

from compat.structure.dialects import structure_dialect
from compat.structure.dialects.postgresql.rows import without_casts
from compat.structure.dialects.sqlite.lexer import tokens, words
from compat.structure.findings import Severity
from compat.structure.verification import verify
from tests.structure import legacy
from tests.structure.conftest import execute, rows


def told(report):
    return [(issue.code, issue.table, issue.message) for issue in report.issues]


def test_a_migrated_project_has_no_findings(migrated):
    report = verify()
    assert report.status == "ok"
    assert told(report) == [("compat.I001", "performance_data", "The table is missing.")]


def test_every_field_constraint_and_index_of_django_is_recognised(torture):
    report = verify()
    assert [finding for finding in told(report) if not finding[0].startswith("compat.I")] == []
    assert report.status == "ok"


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_two_keys_of_one_table_that_is_not_compared(torture):
    assert [finding for finding in told(verify(labels=["pg_torture.Pointer"])) if ".I" not in finding[0]] == []


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_without_a_search_path_nothing_is_found_and_nothing_fails(migrated):
    execute("SET search_path = ''")
    report = verify(labels=["compat"])
    assert {issue.kind.name for issue in report.issues} == {"missing_table"}
    assert report.missing_tables


@pytest.mark.parametrize("label", ["torture", "history", "torture.Line", "auth.user"])
def test_labels_limit_the_tables(torture, label):
    report = verify(labels=[label])
    assert report.status == "ok"
    assert 0 < report.tables < verify().tables
    assert not report.reaches(Severity.WARNING)


def test_an_unmanaged_table_has_only_information(migrated):
    legacy.build_readings()
    execute("ALTER TABLE performance_data DROP COLUMN memory_usage")
    report = verify()
    found = {(issue.code, issue.object, issue.actual) for issue in report.issues}
    retyped = {("compat.I006", "id", "integer"), ("compat.I006", "timestamp", "timestamp without time zone"),
               ("compat.I006", "device_id", "integer")}  # fmt: skip
    assert found == {("compat.I003", "memory_usage", None)} | (retyped if connection.vendor == "postgresql" else set())
    assert report.status == "ok"
    assert not any(issue.fixable or issue.sql for issue in report.issues)


SAME = """
CREATE TABLE {name} (kind {type}, CHECK (kind IN ('a', 'it''s (kind)::text')), CHECK (kind LIKE 'a%'));
CREATE UNIQUE INDEX {name}_partial ON {name} (lower(kind)) WHERE kind <> 'x'
"""
CHECKS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{}'::regclass"


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_constraint_means_the_same_however_it_was_written(empty):
    names = ["text", "varchar", "retyped", "restored"]
    for name, type_ in zip(names, ("text", "varchar(9)", "varchar(9)", "varchar(9)"), strict=True):
        execute(*SAME.format(name=f"t_{name}", type=type_).split(";"))
    execute("ALTER TABLE t_retyped ALTER kind TYPE text")
    for number, (text,) in enumerate(rows(CHECKS.format("t_varchar"))):
        execute(f"ALTER TABLE t_restored ADD CONSTRAINT again_{number} {text}")
    execute("ALTER TABLE t_restored DROP CONSTRAINT t_restored_kind_check, DROP CONSTRAINT t_restored_kind_check1")
    assert len({text for name in names for text in rows(CHECKS.format(f"t_{name}"))}) > 4
    tables = structure_dialect(connection).introspection.actual([f"t_{name}" for name in names]).values()
    assert len({frozenset(item.signature for item in table.constraints) for table in tables}) == 1


@pytest.mark.parametrize("cast", ["(amount)::text = '1'::text", "(kind)::character varying(1) = 'a'::text"])
def test_a_cast_that_changes_values_counts(cast):
    assert "::" in without_casts(cast, {"kind"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kind IN ('b', 'a', 'it''s (')", "kind IN ('a', 'it''s (', 'b')"),
        ("(x IN (2, 1)) AND y IN (4, 3)", "(x IN (1, 2)) AND y IN (3, 4)"),
        ("x = X'6aB2'", "x = x'6AB2'"),
    ],
)
def test_the_order_of_choices_does_not_matter(one, other):
    assert words(tokens(one)) == words(tokens(other))
    assert words(tokens("f(x) IN (f(2), 1)")) != words(tokens("f(x) IN (1, f(2))"))


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_reference_without_columns_means_the_primary_key(migrated):
    (sql,) = rows("SELECT sql FROM sqlite_master WHERE name = 'thresholds'")[0]
    assert ' REFERENCES "devices" ("id")' in sql
    bare = sql.replace(' REFERENCES "devices" ("id")', " REFERENCES devices")
    execute("DROP TABLE thresholds", bare)
    assert [issue.kind.name for issue in verify().issues if issue.kind.name == "foreign_key"] == []


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_an_index_added_to_a_model_at_run_time_is_not_expected(torture, monkeypatch):
    from tests.structure.history.models import Writer

    monkeypatch.setattr(Writer._meta, "indexes", [models.Index(fields=["name", "status"], name="added_at_run_time")])
    assert not [issue for issue in verify().issues if issue.counts]


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_required_column_that_a_trigger_fills_is_information(torture):
    execute(
        "ALTER TABLE history_writer ADD search tsvector NOT NULL DEFAULT ''",
        "ALTER TABLE history_writer ALTER search DROP DEFAULT",
        "CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON history_writer FOR EACH ROW "
        "EXECUTE FUNCTION tsvector_update_trigger(search, 'pg_catalog.english', name)",
    )
    (issue,) = (issue for issue in verify().issues if issue.kind.name == "extra_column")
    assert (issue.severity, issue.object) == (Severity.INFO, "search")
