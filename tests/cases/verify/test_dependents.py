"""Kind 3: what depends on a converted column is carried over, or named as the reason."""

import pytest

from tests.cases.verify.report import assert_clean, says


@pytest.fixture
def vendor():
    return "postgresql"


OBJECTS = """
SELECT count(*) FROM (
    SELECT relname AS name FROM pg_class WHERE relkind IN ('i', 'v', 'm') UNION ALL SELECT conname FROM pg_constraint
    UNION ALL SELECT polname FROM pg_policy UNION ALL SELECT tgname FROM pg_trigger UNION ALL SELECT pubname
    FROM pg_publication UNION ALL SELECT proname FROM pg_proc UNION ALL SELECT rulename FROM pg_rewrite
    UNION ALL SELECT attname FROM pg_attribute WHERE attgenerated <> ''
) AS objects WHERE name = '{}'
"""


def assert_converted_or_named(lab, table, column, dependent):
    """Assert that the promise about a column holds: its type changes and the dependent stays, or a finding names it."""
    promised = lab.verify().one(table, column)["fixable"]
    count = OBJECTS.format(dependent)
    assert lab.value(count) == 1
    report = lab.fix("--rewrite")
    assert lab.value(count) == 1
    left = [issue for issue in report.about(table, column) if issue["kind"] == "type"]
    assert promised is (left == []), report
    for issue in left:
        assert not issue["fixable"]
        assert dependent in says(issue)


PART = """
class Part(models.Model):
    code = models.CharField(max_length=50)
    amount = models.IntegerField()
"""
DEPENDENTS = {
    "a row security policy": ["CREATE POLICY dependent ON lab_part USING (code <> 'x')"],
    "a trigger's condition": [
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER dependent BEFORE UPDATE ON lab_part FOR EACH ROW WHEN (NEW.code = '') EXECUTE FUNCTION quiet()",
    ],
    "a trigger's column": [
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER dependent BEFORE UPDATE OF code ON lab_part FOR EACH ROW EXECUTE FUNCTION quiet()",
    ],
    "a generated column": ["ALTER TABLE lab_part ADD dependent text GENERATED ALWAYS AS (lower(code)) STORED"],
    "a publication's filter": [
        "ALTER TABLE lab_part REPLICA IDENTITY FULL",
        "CREATE PUBLICATION dependent FOR TABLE lab_part WHERE (code <> 'x')",
    ],
    "a view": ["CREATE VIEW dependent AS SELECT upper(code) AS code FROM lab_part"],
    "a materialized view": ["CREATE MATERIALIZED VIEW dependent AS SELECT code FROM lab_part"],
    "a function in SQL": [
        "CREATE FUNCTION dependent() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM lab_part WHERE code = 'x'; END",
    ],
    "a rule": ["CREATE RULE dependent AS ON DELETE TO lab_part WHERE OLD.code = 'x' DO INSTEAD NOTHING"],
    "an index on an expression": ["CREATE INDEX dependent ON lab_part (lower(code))"],
    "a check": ["ALTER TABLE lab_part ADD CONSTRAINT dependent CHECK (code <> 'x') NOT VALID"],
}  # fmt: skip


@pytest.mark.parametrize("dependent", DEPENDENTS)
def test_a_type_change_is_only_promised_where_its_dependents_allow_it(lab, dependent):
    lab.create(PART)
    lab.execute(
        "INSERT INTO lab_part (code, amount) VALUES ('a', 1)",
        "ALTER TABLE lab_part ALTER code TYPE text",
        *DEPENDENTS[dependent],
    )
    assert_converted_or_named(lab, "lab_part", "code", "dependent")
    assert lab.rows("SELECT code, amount FROM lab_part") == [("a", 1)]


def test_a_partial_index_on_a_converted_flag_is_kept_or_named(lab):
    lab.create("class Topic(models.Model):\n    is_public = models.BooleanField()\n")
    lab.execute(
        "ALTER TABLE lab_topic ALTER is_public TYPE smallint USING is_public::int",
        "CREATE INDEX shown ON lab_topic (id) WHERE is_public = 1",
    )
    assert_converted_or_named(lab, "lab_topic", "is_public", "shown")


# Enums

ORDER = """
class Order(models.Model):
    status = models.CharField(max_length=10)
"""


@pytest.fixture
def enum(lab):
    lab.create(ORDER)
    lab.execute(
        "CREATE TYPE order_status AS ENUM ('new', 'paid', 'a label that is longer than ten')",
        "ALTER TABLE lab_order ALTER status TYPE order_status USING status::order_status",
        "ALTER TABLE lab_order ALTER status SET DEFAULT 'new'",
        "INSERT INTO lab_order (status) VALUES ('paid')",
    )
    return lab


def test_an_enum_becomes_text_and_keeps_its_default(enum):
    assert enum.fix("--rewrite").code == 0
    assert enum.columns("lab_order")["status"] == "character varying(10)"
    enum.execute("INSERT INTO lab_order DEFAULT VALUES")
    assert enum.rows("SELECT id, status FROM lab_order ORDER BY id") == [(1, "paid"), (2, "new")]
    assert_clean(enum)


def test_a_label_that_is_too_long_is_named(enum):
    enum.execute("INSERT INTO lab_order (id, status) VALUES (2, 'a label that is longer than ten')")
    issue = enum.fix("--rewrite").one("lab_order", "status")
    assert (issue["code"], issue["fixable"]) == ("compat.E006", False)
    assert "a label that is longer than ten" in says(issue)
    assert enum.columns("lab_order")["status"] == "order_status"


@pytest.mark.parametrize(
    "index", ["(id) WHERE status = 'new'", "(id) WHERE status IN ('new', 'paid')", "((status = 'new'))"]
)
def test_an_index_with_an_enums_label_is_kept_or_named(enum, index):
    enum.execute(f"CREATE INDEX open_orders ON lab_order {index}")
    assert_converted_or_named(enum, "lab_order", "status", "open_orders")


def test_a_check_with_an_enums_label_is_kept_or_named(enum):
    enum.execute("ALTER TABLE lab_order ADD CONSTRAINT sold CHECK (status <> 'a label that is longer than ten')")
    assert_converted_or_named(enum, "lab_order", "status", "sold")
