"""Kind 1: a repair never hides data beside an empty table or column."""

import re

import pytest

from tests.cases.verify.report import assert_clean, says

INVOICES = """
class Customer(models.Model):
    name = models.CharField(max_length=50)

class Invoice(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    total = models.IntegerField()
"""
FILL_INVOICES = (
    "INSERT INTO invoices_customer (name) VALUES ('Ada')",
    "INSERT INTO invoices_invoice (customer_id, total) VALUES (1, 10), (1, 20), (1, 30)",
)
PERSON = """
class Person(models.Model):
    given_name = models.CharField(max_length=50, null=True)
    family_name = models.CharField(max_length=50, null=True)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
"""


def rename_the_app(lab):
    lab.release(invoices=INVOICES)
    lab.migrate()
    lab.execute(*FILL_INVOICES)
    (lab.current / "invoices").rename(lab.current / "billing")
    for file in (lab.current / "billing" / "migrations").glob("0*.py"):
        file.write_text(file.read_text().replace("invoices", "billing"))
    lab.use(lab.current)


def test_a_renamed_app_is_told_with_the_statements_that_rename_its_tables(lab):
    rename_the_app(lab)
    report = lab.verify()
    assert report.code == 1
    assert {issue["table"] for issue in report.counted} == {"billing_customer", "billing_invoice"}
    for table in ("customer", "invoice"):
        issue = report.one(f"billing_{table}")
        assert (issue["kind"], issue["fixable"]) == ("missing_table", False)
        assert f"invoices_{table}" in says(issue)
        assert "RENAME" in says(issue)
    said = " ".join(map(says, report.counted))
    assert "UPDATE django_migrations SET app = 'billing' WHERE app = 'invoices'" in said.replace('"', "")
    lab.execute(*report.offered)
    assert_clean(lab)
    assert sorted(lab.model("Invoice", "billing").objects.values_list("total", flat=True)) == [10, 20, 30]
    assert lab.migrate("--check").code == 0


@pytest.mark.parametrize("arguments", [["--fix", "--dry-run"], ["--fix"], ["--fix", "--rewrite"]], ids=" ".join)
def test_no_repair_adds_empty_tables_beside_those_of_a_renamed_app(lab, arguments):
    rename_the_app(lab)
    before = lab.structure()
    result = lab.command("verify_structure", *arguments)
    assert result.code == 1
    assert "CREATE TABLE" not in result.out
    assert lab.structure() == before
    assert lab.recorded("billing") == []


def test_run_compatibility_fixes_adds_no_tables_of_a_renamed_app(project):
    rename_the_app(project)
    result = project.command("run_compatibility_fixes")
    assert result.code == 1
    assert "invoices_invoice" in result.out + result.err
    assert "billing_invoice" not in project.tables()


NEAR_NAMES = {
    "plural": ("lab_part", "lab_parts"),
    "without the app": ("lab_part", "part"),
    "in capitals": ("lab_part", '"LAB_PART"'),
    "in camel case": ("lab_part", '"LabPart"'),
}


@pytest.mark.parametrize("near", NEAR_NAMES)
def test_no_migration_adds_a_table_beside_one_of_nearly_its_name(lab, near):
    table, found = NEAR_NAMES[near]
    lab.create(
        "class Part(models.Model):\n    code = models.CharField(max_length=9)\n    amount = models.IntegerField()\n"
    )
    if near == "in capitals" and lab.vendor == "sqlite":
        found = '"LAB_PARTS"'  # on SQLite a table's name has no case
    lab.execute(
        f"ALTER TABLE {table} RENAME TO {found}", f"INSERT INTO {found} (code, amount) VALUES ('a', 1), ('b', 2)"
    )
    lab.forget()
    issue = lab.verify().one("lab_part")
    assert (issue["kind"], issue["fixable"]) == ("missing_table", False)
    assert found.strip('"') in says(issue)
    assert lab.fix("--rewrite").code == 1
    assert "lab_part" not in lab.tables()
    lab.execute(*issue["sql"])
    assert lab.fix().code == 0
    assert lab.recorded() == ["0001_initial"]
    assert lab.model("Part").objects.count() == 2


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_table_whose_name_differs_only_by_case_is_told(lab):
    lab.create("""
        class Part(models.Model):
            code = models.CharField(max_length=9)

            class Meta:
                db_table = "LabPart"
    """)
    lab.execute('ALTER TABLE "LabPart" RENAME TO labpart', "INSERT INTO labpart (code) VALUES ('a')")
    issue = lab.fix().one("LabPart")
    assert (issue["kind"], issue["fixable"]) == ("missing_table", False)
    lab.execute(*issue["sql"])
    assert lab.verify().code == 0
    assert lab.model("Part").objects.get().code == "a"


RENAMED = {
    "by position": {"given_name": "first_name", "family_name": "last_name"},
    "by likeness": {"created_at": "createdAt", "updated_at": "updatedAt"},
    "all four": {
        "given_name": "first_name", "family_name": "last_name", "created_at": "createdAt", "updated_at": "updatedAt",
    },
}  # fmt: skip


@pytest.mark.parametrize("pairs", RENAMED)
def test_several_renamed_columns_are_told_and_never_added_empty(lab, pairs):
    pairs = RENAMED[pairs]
    lab.create(PERSON)
    lab.model("Person").objects.create(given_name="Ada", family_name="Lovelace", created_at="2024-01-01T00:00Z")
    lab.execute(*(f'ALTER TABLE lab_person RENAME COLUMN {new} TO "{old}"' for new, old in pairs.items()))
    before = lab.structure(), lab.rows("SELECT * FROM lab_person")
    report = lab.verify()
    assert {issue["object"] for issue in report.counted} == set(pairs)
    for new, old in pairs.items():
        issue = report.one("lab_person", new)
        assert (issue["kind"], issue["fixable"]) == ("renamed_column", False)
        assert old in says(issue)
    assert lab.fix("--rewrite").code == 1
    assert (lab.structure(), lab.rows("SELECT * FROM lab_person")) == before
    lab.execute(*report.offered)
    assert_clean(lab)
    person = lab.model("Person").objects.get()
    assert (person.given_name, person.family_name, person.created_at.year) == ("Ada", "Lovelace", 2024)


def test_likeness_of_names_outweighs_the_order_of_columns(lab):
    lab.create("""
        class Person(models.Model):
            first_name = models.CharField(max_length=50)
            last_name = models.CharField(max_length=50)
    """)
    lab.execute(
        "DROP TABLE lab_person",
        f'CREATE TABLE lab_person (id {lab.key}, "lastName" varchar(50) NOT NULL, "firstName" varchar(50) NOT NULL)',
        """INSERT INTO lab_person ("firstName", "lastName") VALUES ('Ada', 'Lovelace')""",
    )
    report = lab.verify()
    assert report.one("lab_person", "first_name")["kind"] == "renamed_column"
    assert report.one("lab_person", "last_name")["kind"] == "renamed_column"
    lab.execute(*report.offered)
    assert_clean(lab)
    assert lab.model("Person").objects.get().first_name == "Ada"


def test_foreign_keys_that_were_renamed_together_are_told(lab):
    lab.create("""
        class Author(models.Model):
            name = models.CharField(max_length=50)

        class Book(models.Model):
            author = models.ForeignKey(Author, models.CASCADE, null=True, related_name="+")
            editor = models.ForeignKey(Author, models.CASCADE, null=True, related_name="+")
    """)
    lab.execute(
        "INSERT INTO lab_author (id, name) VALUES (1, 'a'), (2, 'e')",
        "INSERT INTO lab_book (author_id, editor_id) VALUES (1, 2)",
        "ALTER TABLE lab_book RENAME COLUMN author_id TO author",
        "ALTER TABLE lab_book RENAME COLUMN editor_id TO editor",
    )
    report = lab.fix()
    for new, old in {"author_id": "author", "editor_id": "editor"}.items():
        (said,) = (says(issue) for issue in report.about("lab_book", new) if issue["kind"] == "renamed_column")
        assert re.search(rf"\b{old}\b", said)
    assert not {"author_id", "editor_id"} & lab.columns("lab_book").keys()


def test_of_two_missing_columns_the_renamed_one_is_not_added(lab):
    lab.create("""
        class Book(models.Model):
            title = models.CharField(max_length=50, null=True)
            shelf = models.CharField(max_length=50, null=True)
    """)
    lab.execute(
        "ALTER TABLE lab_book DROP COLUMN shelf", "ALTER TABLE lab_book RENAME COLUMN title TO book_title",
        "INSERT INTO lab_book (book_title) VALUES ('Emma')",
    )  # fmt: skip
    issue = lab.fix().one("lab_book", "title")
    assert (issue["kind"], issue["fixable"]) == ("renamed_column", False)
    assert "book_title" in says(issue)
    assert "title" not in lab.columns("lab_book")


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_column_renamed_and_retyped_by_another_tool_is_not_added_empty(lab):
    lab.create(PERSON)
    lab.execute(
        'ALTER TABLE lab_person RENAME COLUMN created_at TO "createdAt"',
        'ALTER TABLE lab_person ALTER COLUMN "createdAt" TYPE timestamp(3)',
        """INSERT INTO lab_person ("createdAt") VALUES ('2024-01-01')""",
    )
    issue = lab.fix("--rewrite").one("lab_person", "created_at")
    assert not issue["fixable"]
    assert "createdAt" in says(issue)
    assert "created_at" not in lab.columns("lab_person")


# Tenants in schemas of their own

SHOP = """
class Part(models.Model):
    name = models.CharField(max_length=50)

class Order(models.Model):
    part = models.ForeignKey(Part, models.CASCADE)
"""
OF_PUBLIC = (
    "SELECT c.relname, c.oid, k.conname, pg_get_constraintdef(k.oid) FROM pg_class c LEFT JOIN pg_constraint k "
    "ON k.conrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3"
)


@pytest.fixture
def acme(lab, laboratory):
    """The database as the tenant `acme` sees it, whose schema stands before `public`; both hold the app."""
    lab.create(SHOP)
    lab.execute("CREATE SCHEMA acme", "INSERT INTO lab_part (name) VALUES ('of public')")
    tenant = laboratory(lab.url + "&options=-c%20search_path%3Dacme%2Cpublic")
    tenant.use(lab.current)
    for table in ("lab_part", "lab_order", "django_migrations"):
        tenant.execute(f"CREATE TABLE acme.{table} (LIKE public.{table} INCLUDING ALL)")
    tenant.execute(
        "ALTER TABLE acme.lab_order ADD CONSTRAINT acme_key FOREIGN KEY (part_id) REFERENCES acme.lab_part (id) "
        "DEFERRABLE INITIALLY DEFERRED",
        "INSERT INTO acme.django_migrations SELECT * FROM public.django_migrations",
        "INSERT INTO acme.lab_part (name) VALUES ('of acme')",
    )
    assert tenant.verify().code == 0
    return tenant


DAMAGES = {
    "a lost table": "DROP TABLE acme.lab_part CASCADE",
    "a lost foreign key": "ALTER TABLE acme.lab_order DROP CONSTRAINT acme_key",
    "a wider column": "ALTER TABLE acme.lab_part ALTER name TYPE varchar(70)",
    "a cascading key": "ALTER TABLE acme.lab_order DROP CONSTRAINT acme_key, ADD CONSTRAINT acme_key "
    "FOREIGN KEY (part_id) REFERENCES acme.lab_part (id) ON DELETE CASCADE",
}


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_repair_of_a_tenant_touches_no_other_schema(acme, damage):
    acme.execute(DAMAGES[damage])
    before = acme.rows(OF_PUBLIC)
    report = acme.verify("--fail-on=warning")
    assert report.code == 1
    for statement in report.offered:
        assert "acme" in statement
    done = acme.fix("--rewrite")
    assert acme.rows(OF_PUBLIC) == before
    acme.execute(*done.offered)
    assert acme.rows(OF_PUBLIC) == before
    complete = acme.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'acme' AND tablename LIKE 'lab%'") == 2
    assert complete is (acme.verify().code == 0)
