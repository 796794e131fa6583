"""Kind 3 on SQLite: the words and values of other tools, and keys that are no rowid."""

import pytest

from tests.cases.verify.report import assert_clean, says


@pytest.fixture
def vendor():
    return "sqlite"


PART = """
class Part(models.Model):
    code = models.CharField(max_length=9, null=True)
    doc = models.JSONField(null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    w = models.FloatField(null=True)
    note = models.TextField(null=True)
"""
FOREIGN_PART = (
    "DROP TABLE lab_part",
    "CREATE TABLE lab_part (id INTEGER PRIMARY KEY, code STRING, doc JSON, price Number, w double precision, note)",
    """INSERT INTO lab_part VALUES (1, '007', '{"a":1}', '12', 1.5, 'n'), (2, 'x', '12', 1.25, 2, NULL)""",
)


def test_words_of_other_tools_are_judged_by_what_they_do_to_values(lab):
    lab.create(PART)
    lab.execute(*FOREIGN_PART)
    report = lab.verify()
    columns = lab.columns("lab_part")
    assert {issue["object"]: issue["code"] for issue in report.counted if issue["object"] in columns} == {
        "code": "compat.E006", "doc": "compat.E006", "id": "compat.E011",
    }  # fmt: skip


def test_columns_with_words_of_other_tools_are_rewritten_as_they_are_stored(lab):
    lab.create(PART)
    lab.execute(*FOREIGN_PART)
    report = lab.fix("--rewrite")
    assert report.code == 0, report
    assert_clean(lab)
    stored = lab.rows("SELECT code, typeof(code), doc, typeof(doc), price, w, note FROM lab_part ORDER BY id")
    assert stored == [("7", "text", '{"a":1}', "text", 12, 1.5, "n"), ("x", "text", "12", "text", 1.25, 2, None)]
    assert [(part.doc, part.w) for part in lab.model("Part").objects.order_by("id")] == [({"a": 1}, 1.5), (12, 2.0)]


def test_a_text_that_became_a_real_number_is_named(lab):
    lab.create(PART)
    lab.execute(*FOREIGN_PART, "INSERT INTO lab_part (id, code) VALUES (77, '1e5')")
    issue = lab.fix("--rewrite").one("lab_part", "code")
    assert (issue["code"], issue["fixable"]) == ("compat.E006", False)
    assert "77" in says(issue)
    assert lab.value("SELECT typeof(code) FROM lab_part WHERE id = 77") == "real"


ALCHEMY = """
class Thing(models.Model):
    name = models.CharField(max_length=50)
    flag = models.BooleanField()
    day = models.DateField()
    at = models.DateTimeField()
    price = models.DecimalField(max_digits=9, decimal_places=2)
    size = models.BigIntegerField()
    text = models.TextField()
    raw = models.BinaryField()
    ratio = models.FloatField()
"""


WORDS = {
    "SQLAlchemy": "VARCHAR(50), BOOLEAN, DATE, DATETIME, NUMERIC(9;2), BIGINT, CLOB, BLOB, FLOAT",
    "SQL Server": "NVARCHAR(50), TINYINT(1), date, TIMESTAMP, DECIMAL(9;2), INT8, NTEXT, BLOB, REAL",
    "Rails": "varchar, bool, DATE, datetime(6), decimal, INTEGER, TEXT, blob, DOUBLE",
}
NAMES = ["name", "flag", "day", "at", "price", "size", "text", "raw", "ratio"]


@pytest.mark.parametrize("words", WORDS)
def test_other_words_for_the_same_affinity_are_no_errors(lab, words):
    lab.create(ALCHEMY)
    declared = [f"{name} {word} NOT NULL" for name, word in zip(NAMES, WORDS[words].split(", "), strict=True)]
    columns = ", ".join(declared).replace(";", ",")
    lab.execute("DROP TABLE lab_thing", f"CREATE TABLE lab_thing (id {lab.key}, {columns})")
    assert [issue for issue in lab.verify().counted if issue["severity"] == "error"] == []


ALTERED = {
    "a long decimal in TEXT": (
        "DecimalField(max_digits=30, decimal_places=2, null=True)",
        "TEXT",
        "'12345678901234567.89'",
    ),
    "a large integer for a float": ("FloatField(null=True)", "INTEGER", "9007199254740993"),
    "leading zeros for a date": ("DateField(null=True)", "TEXT", "'0042'"),
    "a compact date": ("DateField(null=True)", "TEXT", "'20240101'"),
    "a number beyond 64 bits": ("BigIntegerField(null=True)", "TEXT", "'9223372036854775808'"),
    "a fraction for an integer": ("IntegerField(null=True)", "REAL", "1.5"),
    "a float for a text": ("CharField(max_length=30, null=True)", "REAL", "0.30000000000000004"),
    "bytes that are no text": ("CharField(max_length=30, null=True)", "BLOB", "x'ff00'"),
}


@pytest.mark.parametrize("case", ALTERED)
def test_a_value_that_the_new_affinity_would_alter_is_named_and_kept(lab, case):
    field, kind, value = ALTERED[case]
    lab.create(f"class Thing(models.Model):\n    value = models.{field}\n")
    lab.execute(
        "DROP TABLE lab_thing", f"CREATE TABLE lab_thing (id {lab.key}, value {kind})",
        f"INSERT INTO lab_thing VALUES (77, {value})",
    )  # fmt: skip
    before = lab.rows("SELECT quote(value), typeof(value) FROM lab_thing")
    report = lab.fix("--rewrite")
    assert lab.rows("SELECT quote(value), typeof(value) FROM lab_thing") == before
    issue = report.one("lab_thing", "value")
    assert not issue["fixable"]
    assert "77" in says(issue)


def test_a_repair_of_nullability_keeps_the_default_and_the_collation(lab):
    lab.create("""
        class Thing(models.Model):
            name = models.CharField(max_length=50)
            note = models.TextField(null=True)
    """)
    lab.execute(
        "DROP TABLE lab_thing",
        f"CREATE TABLE lab_thing (id {lab.key}, name varchar(50) NULL DEFAULT 'none' COLLATE NOCASE, "
        "note text NOT NULL DEFAULT (lower('X')))",
        "INSERT INTO lab_thing (name) VALUES ('Ada')",
    )
    report = lab.fix("--rewrite")
    assert report.code == 0, report
    declared = "SELECT name, \"notnull\", dflt_value FROM pragma_table_info('lab_thing') WHERE name <> 'id'"
    assert lab.rows(declared) == [("name", 1, "'none'"), ("note", 0, "lower('X')")]
    lab.execute("INSERT INTO lab_thing (id) VALUES (9)")
    assert lab.rows("SELECT name, note FROM lab_thing ORDER BY id") == [("Ada", "x"), ("none", "x")]
    assert lab.value("SELECT count(*) FROM lab_thing WHERE name = 'ADA'") == 1


# Keys that are no rowid

KEYS = {
    "INT": '"id" INT PRIMARY KEY',
    "BIGINT": '"id" BIGINT NOT NULL PRIMARY KEY',
    "SERIAL": '"id" SERIAL PRIMARY KEY',
    "INTEGER DESC": '"id" INTEGER PRIMARY KEY DESC',
    "no type": '"id" PRIMARY KEY',
}
BOOK = """
class Author(models.Model):
    name = models.CharField(max_length=9)

class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
"""


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_no_rowid_is_told_and_rewritten(lab, key):
    lab.create(BOOK)
    lab.rebuild("lab_author", ('"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT', KEYS[key]))
    lab.execute("INSERT INTO lab_author (id, name) VALUES (5, 'a')", "INSERT INTO lab_book (author_id) VALUES (5)")
    assert "compat.E011" in {issue["code"] for issue in lab.verify().about("lab_author", "id")}
    report = lab.fix("--rewrite")
    assert report.code == 0, report
    lab.execute("INSERT INTO lab_author (name) VALUES ('b')")
    assert lab.rows("SELECT id, name FROM lab_author ORDER BY id") == [(5, "a"), (6, "b")]
    assert lab.rows("PRAGMA foreign_key_check") == []
    assert_clean(lab)


def test_a_key_of_a_table_without_rowid_is_told_and_rewritten(lab):
    lab.create(BOOK)
    lab.rebuild("lab_author", (" AUTOINCREMENT", ""), ("varchar(9) NOT NULL)", "varchar(9) NOT NULL) WITHOUT ROWID"))
    lab.execute("INSERT INTO lab_author (id, name) VALUES (5, 'a')")
    assert lab.verify().one("lab_author", "id")["code"] == "compat.E011"
    assert lab.follow().code == 0
    assert lab.model("Author").objects.create(name="b").pk == 6


@pytest.mark.parametrize("taken", [False, True], ids=["free", "another row's key"])
def test_rows_without_a_key_are_named_by_rowid_with_the_statement_that_helps(lab, taken):
    lab.create(BOOK)
    lab.rebuild("lab_author", ('"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT', '"id" INT PRIMARY KEY'))
    lab.execute("INSERT INTO lab_author (rowid, id, name) VALUES (41, NULL, 'a'), (42, NULL, 'b')")
    if taken:
        lab.execute("INSERT INTO lab_author (rowid, id, name) VALUES (1, 42, 'c')")
    report = lab.fix("--rewrite")
    issue = next(issue for issue in report.about("lab_author", "id") if issue["code"] == "compat.E011")
    assert not issue["fixable"]
    assert "rowid" in says(issue).lower()
    assert "41" in says(issue)
    assert "None" not in says(issue)
    assert lab.follow().code == 0
    keys = dict(lab.rows("SELECT name, id FROM lab_author"))
    assert sorted(keys) == (["a", "b", "c"] if taken else ["a", "b"])
    assert len({key for key in keys.values() if key}) == len(keys)
    assert keys.get("c", 42) == 42


# STRICT tables

STRICT = """
CREATE TABLE lab_thing (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, flag INTEGER NOT NULL,
    at TEXT, size INTEGER) STRICT
"""
IN_STRICT = """
class Thing(models.Model):
    name = models.CharField(max_length=50)
    flag = models.BooleanField()
    at = models.DateTimeField(null=True)
    size = models.BigIntegerField({size})
    added = models.CharField(max_length=9, null=True)
    born = models.DateTimeField(null=True)
"""


@pytest.mark.parametrize("size", ["null=True", "default=0"], ids=["a missing column", "and a wrong NULL"])
def test_a_strict_table_is_repaired(lab, size):
    lab.create(IN_STRICT.format(size=size))
    lab.execute("DROP TABLE lab_thing", STRICT, "INSERT INTO lab_thing VALUES (1, 'a', 1, '2024-01-01 00:00:00', 7)")
    report = lab.follow()
    assert report.code == 0, report
    assert lab.rows("SELECT id, name, flag, at, size, added, born FROM lab_thing") == [
        (1, "a", 1, "2024-01-01 00:00:00", 7, None, None)
    ]
    thing = lab.model("Thing").objects.create(name="b", flag=False, size=1, added="c", born="2024-01-01T00:00Z")
    assert lab.model("Thing").objects.get(pk=thing.pk).born.year == 2024


def test_several_columns_of_one_table_are_one_rebuild(lab):
    lab.create("class Wide(models.Model):\n" + "".join(f"    c{n} = models.TextField(null=True)\n" for n in range(5)))
    lab.execute(
        "DROP TABLE lab_wide", f"CREATE TABLE lab_wide (id {lab.key}, c0 JSON, c1 JSON, c2 STRING, c3 INT, c4 REAL)"
    )
    shown = lab.command("verify_structure", "--fix", "--rewrite", "--dry-run").out
    assert shown.count("CREATE TABLE") == 1
    assert lab.fix("--rewrite").code == 0
