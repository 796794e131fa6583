"""Kind 3: types and collations of extensions, there or not, on the search path or off it."""

import pytest

from tests.cases.verify.report import assert_clean, says


@pytest.fixture
def vendor():
    return "postgresql"


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
