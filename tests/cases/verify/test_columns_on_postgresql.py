"""Kind 3 on PostgreSQL: columns that other tools made are converted with all that depends on them, or named."""

import datetime
import json
import uuid

import pytest

from tests.cases.verify.lab import assert_clean, says


@pytest.fixture
def vendor():
    return "postgresql"


TOPIC = """
class Topic(models.Model):
    is_public = models.BooleanField(default=False)
    purged = models.BooleanField(default=False)
"""
FLAGS = {
    "smallint": ("smallint USING is_public::int::smallint", "1", "2"),
    "integer": ("integer USING is_public::int", "0", "-1"),
    "numeric(1)": ("numeric(1) USING is_public::int", "0", "2"),
    "char(1)": ("char(1) USING CASE WHEN is_public THEN 'Y' ELSE 'N' END", "'N'", "'?'"),
    "bit(1)": ("bit(1) USING is_public::int::bit(1)", "B'0'", None),
}
"""How other databases hold a flag: the type, its default, and a value that is no flag."""


def make_flags(lab, kind):
    lab.create(TOPIC)
    lab.execute("INSERT INTO lab_topic (id, is_public, purged) VALUES (1, true, true), (2, false, true)")
    changed, default, _ = FLAGS[kind]
    lab.execute(f"ALTER TABLE lab_topic ALTER is_public TYPE {changed}, ALTER is_public SET DEFAULT {default}")


@pytest.mark.parametrize("kind", FLAGS)
def test_flags_of_another_type_are_converted_with_their_default(lab, kind):
    make_flags(lab, kind)
    assert lab.fix("--rewrite").code == 0
    assert_clean(lab)
    assert lab.columns("lab_topic")["is_public"] == "boolean"
    assert lab.rows("SELECT id, is_public FROM lab_topic ORDER BY id") == [(1, True), (2, False)]
    default = lab.rows("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'lab_topic'::regclass")
    assert default in ([], [("true" if FLAGS[kind][1] == "1" else "false",)])


@pytest.mark.parametrize("kind", [kind for kind, (_, _, other) in FLAGS.items() if other])
def test_a_row_that_is_no_flag_is_named_and_kept(lab, kind):
    make_flags(lab, kind)
    lab.execute(f"INSERT INTO lab_topic (id, is_public, purged) VALUES (77, {FLAGS[kind][2]}, false)")
    before = lab.structure()
    report = lab.fix("--rewrite")
    assert report.code == 1
    issue = report.one("lab_topic", "is_public")
    assert not issue["fixable"]
    assert "77" in says(issue)
    assert lab.structure() == before


def test_a_partial_index_on_a_converted_flag_is_kept_or_named(lab):
    make_flags(lab, "smallint")
    lab.execute("CREATE INDEX shown ON lab_topic (id) WHERE is_public = 1")
    assert_converted_or_named(lab, "lab_topic", "is_public", "shown")


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


# Local times

DEVICE = """
INSERT INTO devices (name, ip_address, created_at, updated_at) VALUES ('d', '10.0.0.1', '2024-07-01 12:00', now())
"""
LOCAL = {"timestamp": "timestamp", "Laravel's": "timestamp(0)", "Prisma's": "timestamp(3)"}


@pytest.mark.parametrize("kind", LOCAL.values(), ids=LOCAL)
def test_local_times_are_read_in_the_legacy_time_zone(project, kind, settings):
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    project.execute(
        f"ALTER TABLE devices ALTER created_at TYPE {kind} USING NULL, ALTER updated_at TYPE {kind} USING NULL",
        "INSERT INTO devices (name, ip_address, created_at, updated_at) VALUES "
        "('d', '10.0.0.1', '2024-07-01 12:00', '2024-12-01 12:00')",
    )
    assert project.fix("--rewrite").code == 0
    (read,) = project.rows("SELECT created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' FROM devices")
    assert read == (datetime.datetime(2024, 7, 1, 10), datetime.datetime(2024, 12, 1, 11))  # noqa: DTZ001


def test_the_zone_comes_from_the_environment_too(project):
    project.execute(
        "ALTER TABLE devices ALTER created_at TYPE timestamp",
        DEVICE,
    )
    project.release()
    result = project.process("verify_structure", "--fix", "--rewrite", LEGACY_TIME_ZONE="Europe/Berlin")
    assert result.code == 0, result
    assert str(project.value("SELECT created_at AT TIME ZONE 'UTC' FROM devices")) == "2024-07-01 10:00:00"


def test_without_a_legacy_time_zone_the_finding_asks_for_it(project):
    project.execute(
        "ALTER TABLE devices ALTER created_at TYPE timestamp",
        DEVICE,
    )
    project.release()
    result = project.process("verify_structure", "--format=json")
    (issue,) = (issue for issue in json.loads(result.out)["issues"] if issue["object"] == "created_at")
    assert "LEGACY_TIME_ZONE" in says(issue)


# What pgloader and other converters leave

FIELDS = """
class Thing(models.Model):
    address = models.GenericIPAddressField(null=True)
    span = models.DurationField(null=True)
    token = models.UUIDField(null=True)
    doc = models.JSONField(null=True)
    name = models.CharField(max_length=20, null=True)
    code = models.CharField(max_length=5, null=True)
    amount = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    day = models.DateField(null=True)
"""
TOKEN = uuid.UUID("12345678-1234-5678-1234-567812345678")
CONVERTED = {
    "an address in char(39)": ("address", "char(39)", "'10.0.0.1'", "'10.0.0.1'::inet"),
    "microseconds in bigint": ("span", "bigint", "3600000001", "'1 hour 0.000001 s'::interval"),
    "a UUID in char(32)": ("token", "char(32)", f"'{TOKEN.hex}'", f"'{TOKEN}'::uuid"),
    "a UUID in varchar(36)": ("token", "varchar(36)", f"'{TOKEN}'", f"'{TOKEN}'::uuid"),
    "a document in text": ("doc", "text", """'{"a": 1}'""", """'{"a": 1}'::jsonb"""),
    "a document in json": ("doc", "json", """'{"a": 1}'""", """'{"a": 1}'::jsonb"""),
    "a name in char(20)": ("name", "char(20)", "'abc'", "'abc'::varchar"),
    "a name in varchar": ("name", "varchar", "'abc'", "'abc'::varchar"),
    "a number in numeric": ("amount", "numeric", "12", "12"),
    "a number in varchar": ("amount", "varchar(9)", "'12'", "12"),
    "a price in double precision": ("price", "double precision", "1.25", "1.25::numeric(9, 2)"),
    "a day in timestamp": ("day", "timestamp", "'2024-02-29'", "'2024-02-29'::date"),
}


@pytest.mark.parametrize("case", CONVERTED)
def test_a_value_in_another_type_is_converted_exactly(lab, case, settings):
    settings.LEGACY_TIME_ZONE = "UTC"
    column, kind, value, read = CONVERTED[case]
    lab.create(FIELDS)
    lab.execute(
        f"ALTER TABLE lab_thing ALTER {column} TYPE {kind} USING NULL",
        f"INSERT INTO lab_thing ({column}) VALUES ({value}), (NULL)",
    )
    report = lab.fix("--rewrite")
    assert report.code == 0, report
    assert lab.value(f"SELECT count(*) FROM lab_thing WHERE {column} = {read}") == 1
    assert_clean(lab)


LOSSY = {
    "a cent's fraction": ("price", "double precision", "1.234"),
    "a time of day": ("day", "timestamp", "'2024-02-29 12:00'"),
    "a fraction": ("amount", "numeric", "1.5"),
    "a long name": ("name", "varchar", "'a name of twenty-one c'"),
    "trailing spaces": ("code", "varchar", "'abcde  '"),
    "no document": ("doc", "text", "'{'"),
    "no address": ("address", "char(39)", "'somewhere'"),
}


@pytest.mark.parametrize("case", LOSSY)
def test_a_value_that_would_be_altered_is_named_and_kept(lab, case, settings):
    settings.LEGACY_TIME_ZONE = "UTC"
    column, kind, value = LOSSY[case]
    lab.create(FIELDS)
    lab.execute(
        f"ALTER TABLE lab_thing ALTER {column} TYPE {kind} USING NULL",
        f"INSERT INTO lab_thing (id, {column}) VALUES (77, {value})",
    )
    before = lab.structure(), lab.rows("SELECT * FROM lab_thing")
    issue = lab.fix("--rewrite").one("lab_thing", column)
    assert not issue["fixable"]
    assert "77" in says(issue)
    assert (lab.structure(), lab.rows("SELECT * FROM lab_thing")) == before


# Several columns of one table

WIDE = "class Wide(models.Model):\n" + "".join(f"    c{number} = {{field}}\n" for number in range(10))
MANY = {
    "integers": ("models.BigIntegerField(null=True)", "integer"),
    "texts": ("models.CharField(max_length=50, null=True)", "text"),
    "flags": ("models.BooleanField(null=True)", "smallint USING NULL"),
}


@pytest.mark.parametrize("columns", MANY)
def test_ten_columns_of_one_table_are_one_rewrite(lab, columns):
    field, kind = MANY[columns]
    lab.create(WIDE.format(field=field))
    lab.execute(*(f"ALTER TABLE lab_wide ALTER c{number} TYPE {kind}" for number in range(10)))
    lab.execute("INSERT INTO lab_wide (c0, c9) SELECT 1, 0 FROM generate_series(1, 50)")
    lab.count_rewrites()
    report = lab.fix("--rewrite")
    assert report.code == 0, report
    assert lab.rewrites("lab_wide") == 1
    assert lab.value("SELECT count(*) FROM lab_wide WHERE c0 IS NOT NULL AND c1 IS NULL") == 50


# 32-bit keys of automatic tables

ARTICLE = """
class Tag(models.Model):
    name = models.CharField(max_length=9)

class Article(models.Model):
    tags = models.ManyToManyField(Tag)

class ArticleHistory(models.Model):
    article_key = models.BigIntegerField(db_index=True)
"""


@pytest.mark.parametrize("reached", [2147483000, 2147483647], ids=["near its end", "at its end"])
def test_an_automatic_table_whose_key_runs_out_is_told_and_widened(lab, reached):
    lab.create(ARTICLE)
    lab.execute(
        "INSERT INTO lab_tag (id, name) VALUES (1, 'a')", "INSERT INTO lab_article (id) VALUES (1)",
        "INSERT INTO lab_article_tags (article_id, tag_id) VALUES (1, 1)",
        "ALTER TABLE lab_article_tags ALTER id TYPE integer, ALTER tag_id TYPE integer",
        "ALTER SEQUENCE lab_article_tags_id_seq AS integer",
        f"SELECT setval('lab_article_tags_id_seq', {reached})",
    )  # fmt: skip
    report = lab.verify("--fail-on=warning")
    assert report.one("lab_article_tags", "tag_id")["code"] == "compat.E006"
    others = [issue for issue in report.about("lab_article_tags") if issue["object"] != "tag_id"]
    assert others, report
    assert lab.follow().code == 0
    assert lab.columns("lab_article_tags") == {"id": "bigint", "article_id": "bigint", "tag_id": "bigint"}
    lab.execute("DELETE FROM lab_article_tags", "INSERT INTO lab_article_tags (article_id, tag_id) VALUES (1, 1)")
    assert lab.value("SELECT id FROM lab_article_tags") > 1


def test_a_history_table_with_32_bit_copies_of_keys_is_widened(lab):
    lab.create(ARTICLE)
    lab.execute(
        "ALTER TABLE lab_articlehistory ALTER article_key TYPE integer",
        "INSERT INTO lab_articlehistory (article_key) VALUES (7)",
    )
    assert lab.verify().one("lab_articlehistory", "article_key")["code"] == "compat.E006"
    assert lab.fix("--rewrite").code == 0
    assert lab.rows("SELECT article_key FROM lab_articlehistory") == [(7,)]
    assert_clean(lab)


# Types and collations of extensions

ACCOUNT = """
class Account(models.Model):
    email = models.EmailField(unique=True, db_collation="case_insensitive")

class Other(models.Model):
    name = models.CharField(max_length=9)
"""
CITEXT = (
    "CREATE EXTENSION citext",
    "CREATE COLLATION case_insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
)
EMAIL = "ALTER TABLE lab_account ALTER email TYPE citext"


@pytest.fixture
def citext(debian):
    debian.release(lab=ACCOUNT)
    debian.execute(*CITEXT)
    debian.migrate()
    debian.execute(EMAIL, "INSERT INTO lab_account (email) VALUES ('Ada@example.com')")
    return debian


def test_citext_becomes_text_with_the_collation(citext):
    report = citext.fix("--rewrite")
    assert report.code == 0, report
    assert citext.columns("lab_account")["email"] == "character varying(254)"
    assert citext.value("SELECT email FROM lab_account WHERE email = 'ADA@example.com'") == "Ada@example.com"
    assert_clean(citext)


def test_an_index_for_like_that_forbids_the_collation_is_named(citext):
    citext.execute("CREATE INDEX left_over ON lab_account (email varchar_pattern_ops)")
    before = citext.structure()
    report = citext.fix("--rewrite")
    assert report.code == 1
    assert citext.structure() == before
    issues = report.about("lab_account", "email")
    assert not any(issue["fixable"] for issue in issues)
    assert "left_over" in " ".join(map(says, issues))


def test_a_missing_collation_is_named_and_the_other_tables_are_judged(citext):
    citext.execute("DROP COLLATION case_insensitive", "ALTER TABLE lab_other ALTER name TYPE varchar(3)")
    report = citext.verify()
    assert report.code == 1
    doubt = report.one("lab_account")
    assert doubt["code"] == "compat.W022"
    assert "case_insensitive" in says(doubt)
    assert report.one("lab_other", "name")["code"] == "compat.E006"


OFF_THE_PATH = """
class CustomField(models.Field):
    def __init__(self, *args, kind, **kwargs):
        self.kind = kind
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "kind": self.kind}

    def db_type(self, connection):
        return self.kind

class Document(models.Model):
    value = CustomField(kind="TYPE")

class Other(models.Model):
    name = models.CharField(max_length=9)
"""
TYPES = {
    "an extension's": ("vector(3)", "CREATE EXTENSION vector SCHEMA extensions"),
    "an enum": ("mood", "CREATE TYPE extensions.mood AS ENUM ('good', 'bad')"),
    "a domain": ("positive", "CREATE DOMAIN extensions.positive AS integer CHECK (VALUE > 0)"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_off_the_search_path_is_told_with_its_schema(lab, laboratory, kind):
    name, create = TYPES[kind]
    lab.execute("CREATE SCHEMA extensions", create)
    inside = laboratory(lab.url + "&options=-c%20search_path%3Dpublic%2Cextensions")
    inside.create(OFF_THE_PATH.replace("TYPE", name))
    assert inside.verify().code == 0
    release, _ = inside.current, inside.close()
    outside = laboratory(lab.url)
    outside.use(release)
    report = outside.verify()
    assert report.code == 2
    doubt = report.one("lab_document")
    assert doubt["code"] == "compat.W022"
    assert "extensions" in says(doubt)
    assert "search" in says(doubt)
    outside.execute("ALTER TABLE lab_other ALTER name TYPE varchar(3)")
    report = outside.verify()
    assert report.code == 1
    assert report.one("lab_other", "name")["code"] == "compat.E006"
