"""Kinds of damage to databases: by manual changes, restores, other tools, and migrations that failed half-way.

The tables are those of `django.contrib` and of the torture models of the tests.
"""
# ruff: noqa: E501  one entry per line

from typing import NamedTuple

from django.db import connection

LOG, USER, LINE, EVERY, BOOK = "django_admin_log", "auth_user", "torture_line", "torture_everyfield", "history_book"
PAIR, ALL = "torture_pair", "pg_torture_everything"


class Written(NamedTuple):
    """A change of the stored definition of a SQLite table; its rows do not change."""

    old: str
    new: str


class Damage(NamedTuple):
    """A damage to a table and the kind of finding for it; None: not possible on this database."""

    name: str
    table: str
    kind: str
    postgresql: str | None
    sqlite: str | Written | None = None


def both(name: str, table: str, kind: str, sql: str) -> Damage:
    """Return a damage with the same statements on both databases."""
    return Damage(name, table, kind, sql, sql)


def remade(table: str, old: str, new: str) -> str:
    """Return the statements that rebuild a SQLite table with a changed definition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql > '' ORDER BY type DESC", [table])
        (definition,), *indexes = cursor.fetchall()
        cursor.execute("SELECT name FROM pragma_table_xinfo(%s) WHERE hidden = 0", [table])
        columns = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
    assert old in definition, (table, old)
    changed = definition.replace(old, new).replace(f'"{table}"', "remade", 1)
    tenant = ", tenant" if '"tenant"' in changed else ""
    return ";".join((
        "PRAGMA legacy_alter_table = ON", changed,
        f"INSERT INTO remade ({columns}{tenant}) SELECT {columns}{', 1' if tenant else ''} FROM {table}",
        f"DROP TABLE {table}", f"ALTER TABLE remade RENAME TO {table}", *(sql for (sql,) in indexes),
    ))  # fmt: skip


CATALOGUE = [
    both("dropped by hand", "auth_user_groups", "missing_table", "DROP TABLE auth_user_groups"),
    both("kept under another name", PAIR, "missing_table", f"ALTER TABLE {PAIR} RENAME TO pair_2019"),
    Damage("dropped with what refers to it", "history_writer", "missing_table", "DROP TABLE history_writer CASCADE"),
    Damage("moved to an archive schema", PAIR, "missing_table", f"CREATE SCHEMA archive; ALTER TABLE {PAIR} SET SCHEMA archive"),
    both("view over a renamed table", PAIR, "not_a_table", f"ALTER TABLE {PAIR} RENAME TO p; CREATE VIEW {PAIR} AS SELECT * FROM p"),
    Damage("materialized for a report", PAIR, "not_a_table", f"ALTER TABLE {PAIR} RENAME TO p; CREATE MATERIALIZED VIEW {PAIR} AS TABLE p"),
    Damage("sequence of that name", PAIR, "not_a_table", f"DROP TABLE {PAIR}; CREATE SEQUENCE {PAIR}"),
    both("copied with CREATE TABLE AS", "django_session", "primary_key", "CREATE TABLE c AS SELECT * FROM django_session; DROP TABLE django_session; ALTER TABLE c RENAME TO django_session"),
    Damage("UNLOGGED for a bulk load", PAIR, "storage", f"ALTER TABLE {PAIR} SET UNLOGGED"),
    both("nullable column lost", LOG, "missing_column", f"ALTER TABLE {LOG} DROP COLUMN object_id"),
    both("column with a default lost", EVERY, "missing_column", f"ALTER TABLE {EVERY} DROP COLUMN positive_small"),
    both("required column lost", LOG, "missing_column", f"ALTER TABLE {LOG} DROP COLUMN change_message"),
    both("generated column lost", EVERY, "missing_column", f"ALTER TABLE {EVERY} DROP COLUMN doubled"),
    both("column renamed", LOG, "renamed_column", f"ALTER TABLE {LOG} RENAME COLUMN object_id TO object_key"),
    Damage("column that every insert must fill", LINE, "extra_column", f"ALTER TABLE {LINE} ADD tenant int NOT NULL DEFAULT 1; ALTER TABLE {LINE} ALTER tenant DROP DEFAULT", Written('"amount" integer', '"tenant" int NOT NULL, "amount" integer')),
    Damage("varchar of another ORM", USER, "type", f"ALTER TABLE {USER} ALTER first_name TYPE varchar(255)", Written('"first_name" varchar(150)', '"first_name" varchar(255)')),
    Damage("length of an old migration", USER, "type", f"ALTER TABLE {USER} ALTER first_name TYPE varchar(30)", Written('"first_name" varchar(150)', '"first_name" varchar(30)')),
    Damage("text for varchar", USER, "type", f"ALTER TABLE {USER} ALTER last_name TYPE text"),
    Damage("char for varchar", LINE, "type", f"DROP INDEX line_kind_lower, line_lower_price; ALTER TABLE {LINE} ALTER kind TYPE char(4)"),
    Damage("time zone lost", USER, "type", f"ALTER TABLE {USER} ALTER date_joined TYPE timestamp"),
    Damage("seconds only", USER, "type", f"ALTER TABLE {USER} ALTER date_joined TYPE timestamptz(0)"),
    Damage("flag as a number", USER, "type", f"ALTER TABLE {USER} ALTER is_staff TYPE int USING is_staff::int", Written('"is_staff" bool', '"is_staff" text')),
    Damage("key of the time before 64 bits", LINE, "type", f"ALTER TABLE {LINE} ALTER id TYPE int"),
    Damage("narrow foreign key", BOOK, "type", f"ALTER TABLE {BOOK} ALTER writer_id TYPE int"),
    Damage("money as a float", LINE, "type", f"ALTER TABLE {LINE} ALTER price TYPE float", Written('"price" decimal', '"price" real')),
    Damage("cents lost", LINE, "type", f"ALTER TABLE {LINE} ALTER price TYPE numeric(9, 0)"),
    Damage("uuid as text", EVERY, "type", f"ALTER TABLE {EVERY} ALTER uuid TYPE varchar(36)", Written('"uuid" char(32)', '"uuid" integer')),
    Damage("json for jsonb", EVERY, "type", f"ALTER TABLE {EVERY} ALTER json TYPE json USING json::json", Written('"json" text', '"json" blob')),
    Damage("shorter array elements", ALL, "type", f"ALTER TABLE {ALL} ALTER tags TYPE varchar(3)[]"),
    Damage("collation lost", ALL, "collation", f'ALTER TABLE {ALL} ALTER title TYPE varchar(50) COLLATE "default"'),
    Damage("NOT NULL lost", USER, "nullability", f"ALTER TABLE {USER} ALTER email DROP NOT NULL", Written('"email" varchar(254) NOT NULL', '"email" varchar(254)')),
    Damage("NOT NULL added", USER, "nullability", f"ALTER TABLE {USER} ALTER last_login SET NOT NULL", Written('"last_login" datetime NULL', '"last_login" datetime NOT NULL')),
    Damage("NULL drops the row", USER, "nullability", None, Written('"email" varchar(254) NOT NULL', '"email" varchar(254) NOT NULL ON CONFLICT IGNORE')),
    Damage("default lost", EVERY, "default", f"ALTER TABLE {EVERY} ALTER positive_small DROP DEFAULT", Written("DEFAULT 7 ", "")),
    Damage("default changed", EVERY, "default", f"ALTER TABLE {EVERY} ALTER small SET DEFAULT 9", Written("DEFAULT -1", "DEFAULT 9")),
    Damage("generated column made plain", EVERY, "generated", f"ALTER TABLE {EVERY} ALTER upper DROP EXPRESSION"),
    Damage("another formula", EVERY, "generated", f"ALTER TABLE {EVERY} DROP doubled, ADD doubled int GENERATED ALWAYS AS (integer * 3) STORED", Written('("integer" * 2)', '("integer" * 3)')),
    Damage("restored without identity", USER, "identity", f"ALTER TABLE {USER} ALTER id DROP IDENTITY", Written(" AUTOINCREMENT", "")),
    Damage("GENERATED ALWAYS", LINE, "identity", f"ALTER TABLE {LINE} ALTER id SET GENERATED ALWAYS"),
    Damage("data restored, sequence not", "django_content_type", "sequence", "ALTER SEQUENCE django_content_type_id_seq RESTART"),
    Damage("sequence at its end", LINE, "sequence", f"ALTER SEQUENCE {LINE}_id_seq MAXVALUE 10; SELECT setval('{LINE}_id_seq', 10)"),
    Damage("32-bit sequence under a 64-bit key", LINE, "sequence", f"ALTER SEQUENCE {LINE}_id_seq AS int"),
    Damage("primary key lost", BOOK, "primary_key", f"ALTER TABLE {BOOK} DROP CONSTRAINT {BOOK}_pkey CASCADE", Written('"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT', '"id" integer NOT NULL')),
    Damage("composite key cut", PAIR, "primary_key", f'ALTER TABLE {PAIR} DROP CONSTRAINT {PAIR}_pkey, ADD PRIMARY KEY ("left")', Written('PRIMARY KEY ("left", "right")', 'PRIMARY KEY ("left")')),
    Damage("foreign key lost", BOOK, "foreign_key", f"ALTER TABLE {BOOK} DROP CONSTRAINT {{fk}}", Written(' REFERENCES "history_writer" ("id") DEFERRABLE INITIALLY DEFERRED', "")),
    Damage("foreign key that cascades", BOOK, "foreign_key", f"ALTER TABLE {BOOK} DROP CONSTRAINT {{fk}}, ADD CONSTRAINT {{fk}} FOREIGN KEY (writer_id) REFERENCES history_writer (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", Written('"history_writer" ("id")', '"history_writer" ("id") ON DELETE CASCADE')),
    Damage("a second one that cascades", BOOK, "foreign_key", f"ALTER TABLE {BOOK} ADD FOREIGN KEY (writer_id) REFERENCES history_writer (id) ON DELETE CASCADE"),
    Damage("foreign key elsewhere", BOOK, "foreign_key", f"UPDATE {BOOK} SET writer_id = 1; ALTER TABLE {BOOK} DROP CONSTRAINT {{fk}}, ADD FOREIGN KEY (writer_id) REFERENCES {USER} (id)", Written('"history_writer" ("id")', f'"{USER}" ("id")')),
    Damage("checked at once", BOOK, "foreign_key", f"ALTER TABLE {BOOK} ALTER CONSTRAINT {{fk}} NOT DEFERRABLE", Written('"history_writer" ("id") DEFERRABLE INITIALLY DEFERRED', '"history_writer" ("id")')),
    Damage("NOT VALID and forgotten", BOOK, "foreign_key", f"ALTER TABLE {BOOK} DROP CONSTRAINT {{fk}}, ADD CONSTRAINT {{fk}} FOREIGN KEY (writer_id) REFERENCES history_writer (id) DEFERRABLE INITIALLY DEFERRED NOT VALID"),
    Damage("triggers left disabled", BOOK, "foreign_key", f"ALTER TABLE {BOOK} DISABLE TRIGGER ALL"),
    Damage("unique name lost", USER, "unique", f"ALTER TABLE {USER} DROP CONSTRAINT auth_user_username_key", Written('"username" varchar(150) NOT NULL UNIQUE', '"username" varchar(150) NOT NULL')),
    Damage("duplicate replaces the row", USER, "unique", None, Written('"username" varchar(150) NOT NULL UNIQUE', '"username" varchar(150) NOT NULL UNIQUE ON CONFLICT REPLACE')),
    Damage("unique only where active", USER, "unique", f"ALTER TABLE {USER} DROP CONSTRAINT auth_user_username_key; CREATE UNIQUE INDEX auth_user_username_key ON {USER} (username) WHERE is_active"),
    both("partial unique index made plain", LINE, "unique", f"DROP INDEX line_one_a; CREATE INDEX line_one_a ON {LINE} (parent_id) WHERE kind = 'a'"),
    both("unique expression lost", LINE, "unique", "DROP INDEX line_lower_price"),
    Damage("doubled rows possible again", "auth_user_groups", "unique", "ALTER TABLE auth_user_groups DROP CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq", "DROP INDEX auth_user_groups_user_id_group_id_94350c0c_uniq"),
    Damage("unique constraint as an index", "django_content_type", "unique", "ALTER TABLE django_content_type DROP CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq; CREATE UNIQUE INDEX u ON django_content_type (app_label, model)"),
    Damage("NULLs equal no more", ALL, "unique", f"ALTER TABLE {ALL} DROP CONSTRAINT pg_nulls_equal, ADD CONSTRAINT pg_nulls_equal UNIQUE (room, ends)"),
    Damage("check lost", LOG, "check", f"ALTER TABLE {LOG} DROP CONSTRAINT {LOG}_action_flag_check", Written(' CHECK ("action_flag" >= 0)', "")),
    Damage("check weakened", BOOK, "check", f"ALTER TABLE {BOOK} DROP CONSTRAINT book_pages, ADD CONSTRAINT book_pages CHECK (pages < 99999)", Written('"pages" < 9000', '"pages" < 99999')),
    Damage("check NOT VALID", BOOK, "check", f"ALTER TABLE {BOOK} DROP CONSTRAINT book_pages, ADD CONSTRAINT book_pages CHECK (pages < 9000) NOT VALID"),
    Damage("exclusion lost", ALL, "exclusion", f"ALTER TABLE {ALL} DROP CONSTRAINT pg_no_overlap"),
    both("index of a foreign key lost", LOG, "index", f"DROP INDEX {LOG}_user_id_c564eba6"),
    both("index in another order", LINE, "index", f"DROP INDEX line_amount_price; CREATE INDEX line_amount_price ON {LINE} (price, amount)"),
    both("index of a condition no more", LINE, "index", f"DROP INDEX line_priced; CREATE INDEX line_priced ON {LINE} (order_id)"),
    both("index of another expression", LINE, "index", f"DROP INDEX line_kind_lower; CREATE INDEX line_kind_lower ON {LINE} (upper(kind) DESC, amount)"),
    Damage("GIN made B-tree", ALL, "index", f"DROP INDEX pg_data_gin; CREATE INDEX pg_data_gin ON {ALL} (data)"),
    Damage("left INVALID by CONCURRENTLY", LOG, "index", f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{LOG}_user_id_c564eba6'::regclass"),
    Damage("row-level security without a policy", LINE, "row_security", f"ALTER TABLE {LINE} ENABLE ROW LEVEL SECURITY"),
]  # fmt: skip
