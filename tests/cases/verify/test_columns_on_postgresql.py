"""Kind 3 on PostgreSQL: columns that other tools made are converted with all that depends on them, or named."""

import uuid

import pytest

from tests.cases.verify.report import assert_clean, says


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
