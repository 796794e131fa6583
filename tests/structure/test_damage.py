"""A catalogue of damage: each is found in the right place, and undone without losing a row."""
# ruff: noqa: E501  a catalogue reads better with one entry a line

from typing import NamedTuple

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from compat.structure.execution import repair
from compat.structure.findings import Cause, Severity
from compat.structure.verification import plan, verify
from tests.structure.conftest import execute, rows

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741  as in the codes
LINE, EVERY, BOOK, ORDER = "torture_line", "torture_everyfield", "history_book", '"order"'
EVERYTHING = "pg_torture_everything"
UNFIXABLE, REFUSED, FIX, REWRITE = None, "refused", "fix", "rewrite"


class Damage(NamedTuple):
    """Statements, and the finding that they must lead to."""

    name: str
    sql: str
    kind: str
    severity: Severity
    table: str
    object: str
    remedy: str | None = FIX
    since: int = 0  # the first version of PostgreSQL that knows the statements


POSTGRES = [
    Damage("table lost", "DROP TABLE order_to_tag", "missing_table", E, "order_to_tag", "order_to_tag"),
    Damage("table renamed", f"ALTER TABLE {LINE} RENAME TO x", "missing_table", E, LINE, LINE, REFUSED),
    Damage("table moved", f"ALTER TABLE {LINE} SET SCHEMA other_schema", "missing_table", E, LINE, LINE, REFUSED),
    Damage("plain table renamed", "ALTER TABLE torture_pair RENAME TO x",
           "missing_table", E, "torture_pair", "torture_pair", REFUSED),
    Damage("view for table", f"ALTER TABLE {LINE} RENAME TO x; CREATE VIEW {LINE} AS SELECT * FROM x",
           "not_a_table", E, LINE, LINE, UNFIXABLE),
    Damage("materialized view for table", f"ALTER TABLE {LINE} RENAME TO x; CREATE MATERIALIZED VIEW {LINE} AS TABLE x",
           "not_a_table", E, LINE, LINE, UNFIXABLE),
    Damage("unlogged", f"ALTER TABLE {LINE} SET UNLOGGED", "storage", E, LINE, LINE, REWRITE),
    Damage("column lost", f"ALTER TABLE {EVERY} DROP COLUMN duration", "missing_column", E, EVERY, "duration"),
    Damage("required column lost", f"ALTER TABLE {EVERY} DROP COLUMN boolean", "missing_column", E, EVERY, "boolean"),
    Damage("generated column lost", f"ALTER TABLE {EVERY} DROP COLUMN doubled",
           "missing_column", E, EVERY, "doubled", REWRITE),
    Damage("column renamed", f"ALTER TABLE {LINE} RENAME COLUMN price TO cost",
           "renamed_column", E, LINE, "price", UNFIXABLE),
    Damage("extra column", f"ALTER TABLE {LINE} ADD COLUMN x int", "extra_column", I, LINE, "x", UNFIXABLE),
    Damage("extra required column", f"ALTER TABLE {LINE} ADD COLUMN x int NOT NULL DEFAULT 0; "
           f"ALTER TABLE {LINE} ALTER x DROP DEFAULT", "extra_column", E, LINE, "x", UNFIXABLE),
    Damage("length cut", f"ALTER TABLE {EVERY} ALTER email TYPE varchar(10)", "type", E, EVERY, "email"),
    Damage("length raised", f"ALTER TABLE {EVERY} ALTER email TYPE varchar(300)", "type", W, EVERY, "email", REWRITE),
    Damage("varchar to text", f"ALTER TABLE {EVERY} ALTER email TYPE text", "type", W, EVERY, "email", REWRITE),
    Damage("bigint to integer", f"ALTER TABLE {EVERY} ALTER positive_big TYPE int",
           "type", E, EVERY, "positive_big", REWRITE),
    Damage("precision changed", f"ALTER TABLE {EVERY} ALTER decimal TYPE numeric(12, 2)",
           "type", E, EVERY, "decimal", REWRITE),
    Damage("number to text", f"ALTER TABLE {EVERY} ALTER ticks TYPE text", "type", E, EVERY, "ticks", REWRITE),
    Damage("uuid to text", f"ALTER TABLE {EVERY} ALTER uuid TYPE varchar(36)", "type", E, EVERY, "uuid", REWRITE),
    Damage("jsonb to text", f"ALTER TABLE {EVERY} ALTER json TYPE text", "type", E, EVERY, "json", REWRITE),
    Damage("time zone lost", f"ALTER TABLE {EVERY} ALTER moment TYPE timestamp", "type", E, EVERY, "moment", REWRITE),
    Damage("array flattened", f"ALTER TABLE {EVERYTHING} DROP COLUMN matrix, ADD COLUMN matrix int",
           "type", E, EVERYTHING, "matrix", REFUSED),
    Damage("null allowed", f"ALTER TABLE {EVERY} ALTER char DROP NOT NULL", "nullability", E, EVERY, "char"),
    Damage("null forbidden", f"ALTER TABLE {LINE} ALTER kind SET NOT NULL", "nullability", E, LINE, "kind"),
    Damage("default lost", f"ALTER TABLE {EVERY} ALTER big DROP DEFAULT", "default", E, EVERY, "big"),
    Damage("default changed", f"ALTER TABLE {EVERY} ALTER small SET DEFAULT 5", "default", E, EVERY, "small"),
    Damage("default added", f"ALTER TABLE {EVERY} ALTER integer SET DEFAULT 5",
           "default", I, EVERY, "integer", UNFIXABLE),
    Damage("collation lost", f'ALTER TABLE {EVERYTHING} ALTER title TYPE varchar(50) COLLATE "default"',
           "collation", E, EVERYTHING, "title", REWRITE),
    Damage("generated expression dropped", f"ALTER TABLE {EVERY} ALTER doubled DROP EXPRESSION",
           "generated", E, EVERY, "doubled", UNFIXABLE),
    Damage("identity lost", f"ALTER TABLE {LINE} ALTER id DROP IDENTITY", "identity", E, LINE, "id"),
    Damage("identity always", f"ALTER TABLE {LINE} ALTER id SET GENERATED ALWAYS", "identity", E, LINE, "id"),
    Damage("sequence behind", f"SELECT setval('{LINE}_id_seq', 2)", "sequence", E, LINE, "id"),
    Damage("sequence restarted", f"ALTER SEQUENCE {LINE}_id_seq RESTART", "sequence", E, LINE, "id"),
    Damage("sequence narrow", f"ALTER SEQUENCE {LINE}_id_seq AS integer", "sequence", W, LINE, "id"),
    Damage("sequence behind and not owned", f"CREATE SEQUENCE loose; ALTER TABLE {LINE} ALTER id DROP IDENTITY; "
           f"ALTER TABLE {LINE} ALTER id SET DEFAULT nextval('loose')", "sequence", E, LINE, "id"),
    Damage("primary key lost", f"ALTER TABLE {LINE} DROP CONSTRAINT {LINE}_pkey",
           "primary_key", E, LINE, f"{LINE}_pkey"),
    Damage("primary key changed", f"ALTER TABLE {LINE} DROP CONSTRAINT {LINE}_pkey, ADD PRIMARY KEY (id, amount)",
           "primary_key", E, LINE, f"{LINE}_pkey", UNFIXABLE),
    Damage("composite key cut", "ALTER TABLE torture_pair DROP CONSTRAINT torture_pair_pkey, "
           'ADD PRIMARY KEY ("left")', "primary_key", E, "torture_pair", "torture_pair_pkey", UNFIXABLE),
    Damage("composite key turned", "ALTER TABLE torture_pair DROP CONSTRAINT torture_pair_pkey, "
           'ADD PRIMARY KEY ("right", "left")', "primary_key", W, "torture_pair", "torture_pair_pkey", UNFIXABLE),
    Damage("sequence down", f"ALTER SEQUENCE {LINE}_id_seq INCREMENT BY -1", "sequence", E, LINE, "id"),
    Damage("sequence cycles", f"ALTER SEQUENCE {LINE}_id_seq CYCLE", "sequence", W, LINE, "id"),
    Damage("foreign key lost", f"ALTER TABLE {LINE} DROP CONSTRAINT \"%(parent_fk)s\"", "foreign_key", E, LINE, "%(parent_fk)s"),
    Damage("foreign key elsewhere", f"ALTER TABLE {LINE} DROP CONSTRAINT \"%(parent_fk)s\", ADD CONSTRAINT \"%(parent_fk)s\" "
           f"FOREIGN KEY (parent_id) REFERENCES {LINE} (id)", "foreign_key", E, LINE, "%(parent_fk)s", UNFIXABLE),
    Damage("on delete cascade", f"ALTER TABLE {LINE} DROP CONSTRAINT \"%(parent_fk)s\", ADD CONSTRAINT other FOREIGN KEY "
           '(parent_id) REFERENCES "MixedCase" (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
           "foreign_key", E, LINE, "%(parent_fk)s", UNFIXABLE),
    Damage("second foreign key that cascades", f"ALTER TABLE {LINE} ADD CONSTRAINT x FOREIGN KEY (parent_id) "
           'REFERENCES "MixedCase" (id) ON DELETE CASCADE', "foreign_key", W, LINE, "x", UNFIXABLE),
    Damage("sequence in a table's place", "DROP TABLE order_to_tag; CREATE SEQUENCE order_to_tag",
           "not_a_table", E, "order_to_tag", "order_to_tag", UNFIXABLE),
    Damage("not deferrable", f"ALTER TABLE {LINE} ALTER CONSTRAINT \"%(parent_fk)s\" NOT DEFERRABLE",
           "foreign_key", W, LINE, "%(parent_fk)s"),
    Damage("foreign key not valid", f"ALTER TABLE {LINE} DROP CONSTRAINT \"%(parent_fk)s\", ADD CONSTRAINT \"%(parent_fk)s\" "
           'FOREIGN KEY (parent_id) REFERENCES "MixedCase" (id) DEFERRABLE INITIALLY DEFERRED NOT VALID',
           "foreign_key", W, LINE, "%(parent_fk)s"),
    Damage("unique lost", f"ALTER TABLE {EVERY} DROP CONSTRAINT {EVERY}_slug_key",
           "unique", E, EVERY, f"{EVERY}_slug_key"),
    Damage("unique columns changed", f"ALTER TABLE {LINE} DROP CONSTRAINT line_kind_amount, "
           "ADD CONSTRAINT line_kind_amount UNIQUE (kind, id)", "unique", E, LINE, "line_kind_amount", UNFIXABLE),
    Damage("unique condition changed", f"DROP INDEX line_one_a; "
           f"CREATE UNIQUE INDEX line_one_a ON {LINE} (parent_id) WHERE kind = 'z'",
           "unique", E, LINE, "line_one_a", UNFIXABLE),
    Damage("unique to plain", f"DROP INDEX line_one_a; CREATE INDEX line_one_a ON {LINE} (parent_id) WHERE kind = 'a'",
           "unique", E, LINE, "line_one_a", UNFIXABLE),
    Damage("unique as an index", f"ALTER TABLE {LINE} DROP CONSTRAINT line_kind_amount; "
           f"CREATE UNIQUE INDEX line_kind_amount ON {LINE} (kind, amount)", "unique", W, LINE, "line_kind_amount"),
    Damage("nulls not distinct lost", f"ALTER TABLE {EVERYTHING} DROP CONSTRAINT IF EXISTS pg_nulls_equal; "
           f"DROP INDEX IF EXISTS pg_nulls_equal; ALTER TABLE {EVERYTHING} ADD CONSTRAINT pg_nulls_equal "
           "UNIQUE (room, ends)", "unique", E, EVERYTHING, "pg_nulls_equal", UNFIXABLE),
    Damage("include lost", f"DO $$ BEGIN ALTER TABLE {EVERYTHING} DROP CONSTRAINT pg_including; EXCEPTION WHEN OTHERS "
           f"THEN DROP INDEX pg_including; END $$; CREATE UNIQUE INDEX pg_including ON {EVERYTHING} (room, title)",
           "unique", E, EVERYTHING, "pg_including", UNFIXABLE),
    Damage("check lost", f"ALTER TABLE {LINE} DROP CONSTRAINT line_amount_range",
           "check", E, LINE, "line_amount_range"),
    Damage("check changed", f"ALTER TABLE {LINE} DROP CONSTRAINT line_amount_range, "
           "ADD CONSTRAINT line_amount_range CHECK (amount > 0)", "check", E, LINE, "line_amount_range", UNFIXABLE),
    Damage("check not valid", f"ALTER TABLE {LINE} DROP CONSTRAINT line_kind_quoted, ADD CONSTRAINT line_kind_quoted "
           "CHECK (NOT (kind = '100%% it''s' AND kind IS NOT NULL)) NOT VALID", "check", W, LINE, "line_kind_quoted"),
    Damage("positive check lost", f"ALTER TABLE {EVERY} DROP CONSTRAINT {EVERY}_positive_check",
           "check", E, EVERY, f"{EVERY}_positive_check"),
    Damage("exclusion lost", f"ALTER TABLE {EVERYTHING} DROP CONSTRAINT pg_no_overlap",
           "exclusion", E, EVERYTHING, "pg_no_overlap"),
    Damage("index lost", "DROP INDEX line_amount_price", "index", W, LINE, "line_amount_price"),
    Damage("index columns changed", f"DROP INDEX line_amount_price; CREATE INDEX line_amount_price ON {LINE} (price)",
           "index", W, LINE, "line_amount_price", UNFIXABLE),
    Damage("index direction changed", "DROP INDEX line_amount_price; "
           f"CREATE INDEX line_amount_price ON {LINE} (amount, price)", "index", W, LINE, "line_amount_price", UNFIXABLE),
    Damage("index predicate lost", f"DROP INDEX line_priced; CREATE INDEX line_priced ON {LINE} (order_id)",
           "index", W, LINE, "line_priced", UNFIXABLE),
    Damage("index expression changed", f"DROP INDEX line_kind_lower; "
           f"CREATE INDEX line_kind_lower ON {LINE} (upper(kind) DESC, amount)",
           "index", W, LINE, "line_kind_lower", UNFIXABLE),
    Damage("opclass lost", f"DROP INDEX pg_data_gin; CREATE INDEX pg_data_gin ON {EVERYTHING} USING gin (data) "
           "WITH (fastupdate=off)", "index", W, EVERYTHING, "pg_data_gin", UNFIXABLE),
    Damage("method changed", f"DROP INDEX pg_room_hash; CREATE INDEX pg_room_hash ON {EVERYTHING} (room)",
           "index", W, EVERYTHING, "pg_room_hash", UNFIXABLE),
    Damage("index invalid", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'line_amount_price'::regclass",
           "index", W, LINE, "line_amount_price"),
    Damage("like index lost", "DROP INDEX %(char_like)s", "index", I, EVERY, "%(char_like)s", UNFIXABLE),
    Damage("extra index", f"CREATE INDEX x ON {LINE} (id, amount)", "index", I, LINE, "x", UNFIXABLE),
    Damage("comment changed", "COMMENT ON COLUMN torture_pair.note IS 'x'", "comment", I, "torture_pair", "note", UNFIXABLE),
    Damage("declared name lost", "ALTER INDEX line_priced RENAME TO x", "name", I, LINE, "line_priced", UNFIXABLE),
    Damage("foreign key disabled", f"ALTER TABLE {LINE} DISABLE TRIGGER ALL", "foreign_key", E, LINE, "%(parent_fk)s"),
    Damage("not null not valid", f"ALTER TABLE {EVERY} ALTER char DROP NOT NULL; "
           f"ALTER TABLE {EVERY} ADD CONSTRAINT later NOT NULL char NOT VALID", "nullability", W, EVERY, "char", since=18),
    Damage("foreign key not enforced", f"ALTER TABLE {LINE} ALTER CONSTRAINT \"%(parent_fk)s\" NOT ENFORCED",
           "foreign_key", E, LINE, "%(parent_fk)s", since=18),
    Damage("check not enforced", f"ALTER TABLE {LINE} DROP CONSTRAINT line_kind_quoted, ADD CONSTRAINT line_kind_quoted "
           "CHECK (NOT (kind = '100%% it''s' AND kind IS NOT NULL)) NOT ENFORCED",
           "check", E, LINE, "line_kind_quoted", UNFIXABLE, since=18),
    Damage("trigger", f"CREATE TRIGGER x BEFORE UPDATE ON {LINE} FOR EACH ROW EXECUTE FUNCTION "
           "suppress_redundant_updates_trigger()", "trigger", I, LINE, "x", UNFIXABLE),
    Damage("rule", f"CREATE RULE x AS ON DELETE TO {LINE} DO INSTEAD NOTHING", "trigger", I, LINE, "x", UNFIXABLE),
    Damage("row-level security", f"ALTER TABLE {LINE} ENABLE ROW LEVEL SECURITY", "row_security", W, LINE, LINE, UNFIXABLE),
    Damage("row-level security with a policy", f"ALTER TABLE {LINE} ENABLE ROW LEVEL SECURITY; "
           f"CREATE POLICY x ON {LINE} USING (true)", "row_security", I, LINE, LINE, UNFIXABLE),
    Damage("in another schema", "DROP INDEX other_schema.%(elsewhere_fk)s", "index", W,
           "other_schema.elsewhere", "%(elsewhere_fk)s"),
]  # fmt: skip


def rewritten(table, old, new):
    """Return the statements that change a SQLite table's definition in place."""
    return (
        "PRAGMA writable_schema = ON;"
        f"UPDATE sqlite_master SET sql = replace(sql, '{old.replace(chr(39), chr(39) * 2)}', "
        f"'{new.replace(chr(39), chr(39) * 2)}') WHERE tbl_name = '{table}' AND type = 'table';"
        "PRAGMA writable_schema = RESET"
    )


SQLITE = [
    Damage("table lost", "DROP TABLE order_to_tag", "missing_table", E, "order_to_tag", "order_to_tag"),
    Damage("table renamed", "ALTER TABLE torture_pair RENAME TO x",
           "missing_table", E, "torture_pair", "torture_pair", REFUSED),
    Damage("view for table", f"CREATE TABLE x AS SELECT * FROM {LINE}; DROP TABLE {LINE}; "
           f"CREATE VIEW {LINE} AS SELECT * FROM x", "not_a_table", E, LINE, LINE, UNFIXABLE),
    Damage("column lost", f"ALTER TABLE {EVERY} DROP COLUMN duration", "missing_column", E, EVERY, "duration"),
    Damage("required column lost", f"ALTER TABLE {EVERY} DROP COLUMN boolean", "missing_column", E, EVERY, "boolean"),
    Damage("generated column lost", f"ALTER TABLE {EVERY} DROP COLUMN doubled", "missing_column", E, EVERY, "doubled"),
    Damage("column renamed", 'ALTER TABLE "MixedCase" RENAME COLUMN "Name With Space" TO plain',
           "renamed_column", E, "MixedCase", "Name With Space", UNFIXABLE),
    Damage("extra column", f"ALTER TABLE {LINE} ADD COLUMN x int", "extra_column", I, LINE, "x", UNFIXABLE),
    Damage("extra required column", rewritten(EVERY, '"email" ', '"x" int NOT NULL, "email" '),
           "extra_column", E, EVERY, "x", UNFIXABLE),
    Damage("length cut", rewritten(EVERY, "varchar(254)", "varchar(10)"), "type", W, EVERY, "email", REWRITE),
    Damage("other affinity", rewritten(EVERY, '"ticks" bigint', '"ticks" text'), "type", E, EVERY, "ticks", REWRITE),
    Damage("null allowed", rewritten(EVERY, '"email" varchar(254) NOT NULL', '"email" varchar(254)'),
           "nullability", E, EVERY, "email"),
    Damage("null forbidden", rewritten(LINE, '"kind" varchar(4) NULL', '"kind" varchar(4) NOT NULL'),
           "nullability", E, LINE, "kind"),
    Damage("default lost", rewritten(EVERY, "DEFAULT -1 ", ""), "default", E, EVERY, "small"),
    Damage("default changed", rewritten(EVERY, "DEFAULT -1 ", "DEFAULT 5 "), "default", E, EVERY, "small"),
    Damage("collation added", rewritten(EVERY, '"email" varchar(254)', '"email" varchar(254) COLLATE NOCASE'),
           "collation", I, EVERY, "email", UNFIXABLE),
    Damage("generated expression changed", rewritten(EVERY, '("integer" * 2)', '("integer" * 3)'),
           "generated", E, EVERY, "doubled", UNFIXABLE),
    Damage("autoincrement lost", rewritten(LINE, " AUTOINCREMENT", ""), "identity", E, LINE, "id", REWRITE),
    Damage("foreign key lost", rewritten(LINE, ' REFERENCES "MixedCase" ("id") DEFERRABLE INITIALLY DEFERRED', ""),
           "foreign_key", E, LINE, f"{LINE}_parent_id_foreign_key"),
    Damage("foreign key elsewhere", rewritten(LINE, 'REFERENCES "MixedCase" ("id")', f'REFERENCES "{LINE}" ("id")'),
           "foreign_key", E, LINE, f"{LINE}_parent_id_foreign_key", UNFIXABLE),
    Damage("on delete cascade", rewritten(LINE, '"MixedCase" ("id")', '"MixedCase" ("id") ON DELETE CASCADE'),
           "foreign_key", E, LINE, f"{LINE}_parent_id_foreign_key", UNFIXABLE),
    Damage("not deferrable", rewritten(LINE, '"MixedCase" ("id") DEFERRABLE INITIALLY DEFERRED', '"MixedCase" ("id")'),
           "foreign_key", W, LINE, f"{LINE}_parent_id_foreign_key"),
    Damage("unique index lost", "DROP INDEX line_one_a", "unique", E, LINE, "line_one_a"),
    Damage("unique that replaces rows", rewritten(EVERY, '"slug" varchar(130) NOT NULL UNIQUE', '"slug" varchar(130) NOT NULL UNIQUE ON CONFLICT REPLACE'),
           "unique", E, EVERY, f"{EVERY}_slug_unique", UNFIXABLE),
    Damage("null drops rows", rewritten(EVERY, '"email" varchar(254) NOT NULL', '"email" varchar(254) NOT NULL ON CONFLICT IGNORE'),
           "nullability", E, EVERY, "email"),
    Damage("composite key turned", rewritten("torture_pair", '("left", "right")', '("right", "left")'),
           "primary_key", W, "torture_pair", "torture_pair_left_right_primary_key", UNFIXABLE),
    Damage("unique condition lost", f"DROP INDEX line_one_a; CREATE UNIQUE INDEX line_one_a ON {LINE} (parent_id, id)",
           "unique", E, LINE, "line_one_a", UNFIXABLE),
    Damage("check lost", rewritten(EVERY, ' CHECK ("positive_small" >= 0)', ""),
           "check", E, EVERY, f"{EVERY}_positive_small_check"),
    Damage("check changed", rewritten(LINE, '"amount" <= 1000', '"amount" <= 9000'),
           "check", E, LINE, "line_amount_range", UNFIXABLE),
    Damage("index lost", "DROP INDEX line_amount_price", "index", W, LINE, "line_amount_price"),
    Damage("index direction changed", "DROP INDEX line_amount_price; "
           f"CREATE INDEX line_amount_price ON {LINE} (amount, price)", "index", W, LINE, "line_amount_price", UNFIXABLE),
    Damage("index predicate lost", f"DROP INDEX line_priced; CREATE INDEX line_priced ON {LINE} (order_id)",
           "index", W, LINE, "line_priced", UNFIXABLE),
    Damage("extra index", f"CREATE INDEX x ON {LINE} (id, amount)", "index", I, LINE, "x", UNFIXABLE),
    Damage("trigger", f"CREATE TRIGGER x BEFORE UPDATE ON {LINE} BEGIN SELECT 1, 2; END", "trigger", I, LINE, "x", UNFIXABLE),
]  # fmt: skip

CATALOGUE = [pytest.param(vendor, damage, id=f"{vendor}-{damage.name}".replace(" ", "-"))
             for vendor, damages in (("postgresql", POSTGRES), ("sqlite", SQLITE)) for damage in damages]  # fmt: skip


def names():
    """Names that Django made with a hash."""
    if connection.vendor != "postgresql":
        return {}
    return {
        "parent_fk": rows(f"SELECT conname FROM pg_constraint WHERE conrelid = '{LINE}'::regclass AND contype = 'f' "
                          "AND conname LIKE '%parent%'")[0][0],
        "char_like": rows(f"SELECT indexname FROM pg_indexes WHERE indexname LIKE '{EVERY}_char_%_like'")[0][0],
        "elsewhere_fk": rows("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'elsewhere_other_id%'")[0][0],
    }  # fmt: skip


def inflict(damage):
    """Carry out the damage; return what the finding is about."""
    known = names()
    sql = damage.sql % known if connection.vendor == "postgresql" else damage.sql
    with connection.constraint_checks_disabled():
        execute(
            *(
                statement
                for statement in ([sql] if "$$" in sql or " BEGIN " in sql else sql.split(";"))
                if statement.strip()
            )
        )
    return damage.object % known


def census():
    """The number of rows of each table."""
    tables = connection.introspection.table_names()
    return {table: rows(f'SELECT count(*) FROM "{table}"')[0][0] for table in tables}


@pytest.mark.parametrize(("vendor", "damage"), CATALOGUE)
def test_damage_is_found_and_undone(vendor, torture, damage):
    if damage.since and connection.pg_version < damage.since * 10_000:
        with pytest.raises(DatabaseError), transaction.atomic():
            inflict(damage)
        return
    before = census()
    about = inflict(damage)
    report = verify()
    found = [issue for issue in report.issues if (issue.kind.name, issue.object) == (damage.kind, about)]
    assert found, [(issue.kind.name, issue.table, issue.object) for issue in report.issues]
    assert (found[0].severity, found[0].table, found[0].cause) == (damage.severity, damage.table, Cause.DRIFT)
    assert {issue.table for issue in report.issues if issue.counts} <= {damage.table}
    if damage.remedy is UNFIXABLE:
        assert not found[0].fixable
        return
    if damage.remedy is REFUSED:
        assert plan(rewrite=True).statements == ()
    repaired = repair(rewrite=damage.remedy is REWRITE)
    if damage.remedy is REFUSED:
        assert [issue.kind.name for issue in repaired.issues if issue.counts] == [damage.kind]
        return
    assert [(issue.code, issue.table, issue.message, issue.hint) for issue in repaired.issues if issue.counts] == []
    assert found[0].key in {finding.key for finding in repaired.fixed}
    after = census()
    lost = {damage.table} if damage.kind == "missing_table" else set()
    assert {table: after[table] for table in before if table not in lost} == {
        table: number for table, number in before.items() if table not in lost
    }


LARGE = [damage for damage in POSTGRES if damage.remedy is FIX and damage.name.endswith((" lost", " valid", " invalid"))
         and damage.kind in ("foreign_key", "check", "unique", "index", "primary_key")]  # fmt: skip


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize("damage", LARGE, ids=lambda damage: damage.name.replace(" ", "-"))
def test_a_large_table_is_repaired_beside_writers(own_torture, damage, settings):
    settings.COMPAT_STRUCTURE_LARGE_TABLE = 0
    inflict(damage)
    shown = plan().statements
    repaired = repair()
    assert [(issue.code, issue.message, issue.hint) for issue in repaired.issues if issue.counts] == []
    assert repaired.statements == shown
    assert any("CONCURRENTLY" in sql or "VALIDATE" in sql for sql in shown)


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_next_run_repairs_an_interrupted_concurrent_build(own_torture, settings):
    settings.COMPAT_STRUCTURE_LARGE_TABLE = 0
    execute("DROP INDEX line_one_a", "ALTER TABLE torture_line DISABLE TRIGGER ALL")
    execute("UPDATE torture_line SET kind = 'a'")
    with pytest.raises(IntegrityError):
        execute(f"CREATE UNIQUE INDEX CONCURRENTLY line_one_a ON {LINE} (parent_id) WHERE kind = 'a'")
    execute("UPDATE torture_line SET kind = 'b'", "ALTER TABLE torture_line ENABLE TRIGGER ALL")
    assert [issue.kind.name for issue in verify().issues if issue.counts] == ["unique"]
    assert repair().status == "ok"


def test_a_second_repair_changes_nothing(torture):
    execute("DROP INDEX line_amount_price", "DROP TABLE order_to_tag")
    assert len(repair().statements) > 1
    assert repair(rewrite=True).statements == ()


STATED = {
    "postgresql": ("primary_key", "foreign_key", "unique", "check", "index", "generated",
                   "extra_column"),
    "sqlite": ("index", "extra_column"),
}  # fmt: skip
MANUAL = [pytest.param(vendor, damage, id=f"{vendor}-{damage.name}".replace(" ", "-"))
           for vendor, damages in (("postgresql", POSTGRES), ("sqlite", SQLITE)) for damage in damages
           if damage.remedy is UNFIXABLE and damage.severity is not I and not damage.since
           and damage.kind in STATED[vendor]]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("vendor", "damage"), MANUAL)
def test_the_hint_of_a_manual_repair_can_be_run(vendor, torture, damage):
    inflict(damage)
    told = next(issue.hint for issue in verify().issues if issue.counts)
    sql, then, _ = told.removeprefix("Fix manually (--fix never drops anything): ").partition(
        " then verify_structure --fix"
    )
    execute(*(statement for statement in sql.split("; It drops")[0].split(";") if statement.strip()))
    repaired = repair(rewrite=True) if then else verify()
    assert [(issue.code, issue.hint) for issue in repaired.issues if issue.counts] == []
