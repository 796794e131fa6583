"""Rows that the reader does not see are not called equal: read everything, or refuse."""

import pytest
from django.db.models import CharField, DateTimeField, FloatField, Manager

from tests.cases.copy.judge import assert_copied, assert_named, assert_refused
from tests.cases.copy.routes import BETWEEN_SERVERS, EACH, FROM_POSTGRESQL, POSTGRESQL, SQLITE, TO_POSTGRESQL, on

TENANTS = [(key, "a" if key % 2 else "b", key / 4) for key in range(1, 21)]


def tenants(lab):
    """Build rows of two tenants, and declare their copy."""
    lab.build("tenant varchar(10), level double precision", TENANTS)
    old = lab.old(tenant=CharField(max_length=10), level=FloatField())
    new = lab.new(tenant=CharField(max_length=10), level=FloatField())
    lab.declare(old, new, "tenant", "level")


@on(*FROM_POSTGRESQL)
@pytest.mark.parametrize(
    "policies", ["CREATE POLICY mine ON old_reading USING (tenant = 'a')", ""], ids=["one", "none"]
)
def test_a_source_under_a_policy_is_refused(lab, policies):  # C15
    tenants(lab)
    lab.in_source(f"ALTER TABLE old_reading ENABLE ROW LEVEL SECURITY; {policies}")
    with lab.as_role(lab.source):
        dry, answer, verified = lab.run("--dry-run"), lab.run(), lab.run("--verify")
    assert dry.code == 2
    assert_refused(lab, answer, "old_reading", "row")
    assert verified.code == 2
    assert_copied(lab, lab.run(), TENANTS)  # the owner sees every row


@on(*FROM_POSTGRESQL)
def test_an_owner_under_a_forced_policy_is_refused(lab):  # C15
    tenants(lab)
    lab.in_source("ALTER TABLE old_reading ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    lab.in_source("CREATE POLICY mine ON old_reading USING (tenant = 'a')")
    with lab.as_role(lab.source) as role, lab.session(lab.source) as admin:
        admin.autocommit = True
        admin.cursor().execute(f"ALTER TABLE old_reading OWNER TO {role}")
        answer = lab.run()
        admin.cursor().execute("ALTER TABLE old_reading OWNER TO CURRENT_USER")
    assert_refused(lab, answer, "old_reading", "row")


@on(*FROM_POSTGRESQL)
def test_a_policy_that_shows_every_row_does_not_matter(lab):  # C15
    tenants(lab)
    lab.in_source("ALTER TABLE old_reading ENABLE ROW LEVEL SECURITY")
    lab.in_source("CREATE POLICY every ON old_reading USING (true)")
    with lab.as_role(lab.source, "pg_read_all_data"):
        answer = lab.run()
    if answer.code == 2:  # a server cannot tell that a policy hides nothing
        assert_refused(lab, answer, "old_reading", "row")
        return
    assert_copied(lab, answer, TENANTS)


@on(POSTGRESQL, BETWEEN_SERVERS, TO_POSTGRESQL)
def test_rows_that_a_policy_of_the_target_refuses_are_rejected(lab):  # C15
    tenants(lab)
    lab.sql("ALTER TABLE new_reading ENABLE ROW LEVEL SECURITY")
    lab.sql("CREATE POLICY mine ON new_reading USING (true) WITH CHECK (tenant = 'a')")
    with lab.as_role("default"):
        answer = lab.run("--batch-size=7")
    assert lab.rows() == [row for row in TENANTS if row[1] == "a"], answer
    assert sorted(lab.rejects()) == [key for key, tenant, _ in TENANTS if tenant == "b"]
    assert_named(lab.rejects()[2], "row-level security")
    assert (answer.code, answer.rejected) == (1, 10)


@on(POSTGRESQL, BETWEEN_SERVERS, TO_POSTGRESQL)
def test_a_target_whose_rows_a_policy_hides_is_not_called_equal(lab):  # C15
    tenants(lab)
    lab.sql("ALTER TABLE new_reading ENABLE ROW LEVEL SECURITY")
    lab.sql("CREATE POLICY sees ON new_reading FOR SELECT USING (tenant = 'a')")
    lab.sql("CREATE POLICY writes ON new_reading FOR INSERT WITH CHECK (true)")
    with lab.as_role("default"):
        answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "new_reading", "row")
        return
    assert (answer.code, answer.verified is True and not answer.rejected) == (1, False)
    assert lab.count() == len({key for key, *_ in lab.rows("id")})


class Live(Manager):
    """Hides rows that were deleted softly."""

    def get_queryset(self):
        return super().get_queryset().filter(deleted_at=None)


DELETED = [(key, f"r{key}", "2024-01-01 00:00:00" if key in (2, 5, 10) else None) for key in range(1, 11)]


@on(*EACH)
@pytest.mark.parametrize("base", [True, False], ids=["base manager", "default manager"])
def test_a_manager_that_hides_rows_hides_none_from_a_copy(lab, base):  # C21, R14
    lab.build("name varchar(10), deleted_at timestamp", DELETED)
    meta = {"base_manager_name": "objects"} if base else {}
    old = lab.old(name=CharField(max_length=10), deleted_at=DateTimeField(null=True), objects=Live(), meta=meta)
    lab.declare(old, lab.new(name=CharField(max_length=10)), "name")
    dry, answer = lab.run("--dry-run"), lab.run("--batch-size=3")
    if answer.code == 2:
        assert_refused(lab, answer, "manager")
        return
    assert dry.json["source_rows"] == 10
    assert_copied(lab, answer, [(key, name) for key, name, _ in DELETED])
    assert lab.run("--verify").json["source_rows"] == 10
    lab.sql("DELETE FROM new_reading WHERE id = 5")
    assert lab.run("--verify").differences["missing"] == 1


@on(*EACH)
def test_a_row_that_comes_late_and_hidden_is_found(lab):  # C21
    lab.build("name varchar(10), deleted_at timestamp", DELETED[:9])
    old = lab.old(
        name=CharField(max_length=10), deleted_at=DateTimeField(null=True), objects=Live(),
        meta={"base_manager_name": "objects"},
    )  # fmt: skip
    lab.declare(old, lab.new(name=CharField(max_length=10)), "name")
    first = lab.run()
    if first.code == 2:
        assert_refused(lab, first, "manager")
        return
    lab.fill(DELETED[9:])
    assert (lab.run().copied, lab.count()) == (1, 10)


@on(*EACH)
def test_hidden_rows_of_the_target_are_not_overwritten(lab):  # C21
    lab.build("name varchar(10)", [(1, "a"), (2, "b")])
    new = lab.new(
        name=CharField(max_length=10), deleted_at=DateTimeField(null=True), objects=Live(),
        meta={"base_manager_name": "objects"},
    )  # fmt: skip
    lab.declare(lab.old(name=CharField(max_length=10)), new, "name")
    lab.sql("INSERT INTO new_reading (id, name, deleted_at) VALUES (1, 'gone', '2024-01-01')")
    answer = lab.run()
    assert sorted(name for (name,) in lab.rows("name")) == ["a", "b", "gone"], answer
    assert (answer.code, answer.verified) == (0, True)
    lab.sql("UPDATE new_reading SET deleted_at = '2024-01-02' WHERE name = 'b'")
    assert lab.run("--verify").differences == {"missing": 0, "extra": 0, "changed": 1}


@on(*FROM_POSTGRESQL)
def test_the_search_path_decides_for_all_statements_alike(lab):  # kind 6
    lab.build("name varchar(10)", [(1, "public"), (2, "public"), (3, "public")])
    lab.in_source("CREATE SCHEMA archive")
    lab.build("name varchar(10)", [(1, "archive"), (5, "archive")], table="archive.old_reading")
    lab.declare(lab.old(name=CharField(max_length=10)), lab.new(name=CharField(max_length=10)), "name")
    database = lab.in_source("SELECT current_database()")[0][0]
    lab.in_source(f"ALTER DATABASE {database} SET search_path = archive, public")
    lab.reconnect(lab.source)
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading", table="public.new_reading")
        return
    assert_copied(lab, answer, [(1, "archive"), (5, "archive")])


@on(SQLITE, POSTGRESQL)
def test_a_temporary_table_of_the_same_name_is_not_mistaken_for_the_source(lab):  # kind 6
    lab.build("name varchar(10)", [(1, "kept"), (2, "kept")])
    lab.declare(lab.old(name=CharField(max_length=10)), lab.new(name=CharField(max_length=10)), "name")
    lab.sql("CREATE TEMPORARY TABLE old_reading (id bigint PRIMARY KEY, name varchar(10))")
    lab.sql("INSERT INTO old_reading VALUES (1, 'scratch')")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "old_reading")
        return
    assert lab.rows() in ([(1, "scratch")], [(1, "kept"), (2, "kept")])  # one of the two, and wholly
    assert answer.code == 0
