"""The target's own mind: identity, sequences, triggers, generated columns, unique values, partitions."""

import pytest
from django.db.models import BigAutoField, CharField, F, FloatField, GeneratedField, UniqueConstraint
from django.db.models.functions import Lower

from tests import legacy
from tests.cases.copy.answers import answer_of
from tests.cases.copy.api import PERFORMANCE
from tests.cases.copy.judge import assert_copied, assert_named, assert_refused, assert_rejected, assert_round_trip
from tests.cases.copy.routes import ALL, EACH, INTO_POSTGRESQL, POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, WITHIN, on

LEVELS = [(key, key / 4) for key in range(1, 13)]


def levels(lab, **options):
    """Build rows with a level, and declare their copy."""
    lab.build("level double precision", LEVELS)
    new = lab.new(level=FloatField(**options))
    lab.declare(lab.old(level=FloatField(null=True)), new, "level")
    return new


@on(POSTGRESQL)
def test_a_key_that_is_always_generated_is_filled_or_leads_to_a_repair(lab):  # C09
    legacy.build("default", 20)
    lab.declared = PERFORMANCE
    lab.sql("ALTER TABLE performance_records ALTER id SET GENERATED ALWAYS")
    for _ in range(2):
        answer = lab.run()
        if answer.code != 2:
            break
        assert_refused(lab, answer, "performance_records", "verify_structure", "--fix", table="performance_records")
    if answer.code == 2:
        assert answer_of("verify_structure", "--fix", "compat").code == 0
        answer = lab.run()
    assert (answer.code, answer.verified, legacy.not_over("default")) == (0, True, [])


@on(*INTO_POSTGRESQL)
def test_an_identity_that_is_always_generated_is_told_before_the_first_row(lab):  # C09
    levels(lab)
    lab.sql("ALTER TABLE new_reading ALTER id SET GENERATED ALWAYS")
    assert (dry := lab.run("--dry-run")).code in {0, 2}
    answer = lab.run("--batch-size=5")
    assert dry.code == answer.code
    if answer.code == 2:
        assert_refused(lab, answer, "new_reading", "verify_structure", "--fix")
        return
    assert_copied(lab, answer, LEVELS)


@on(*INTO_POSTGRESQL)
def test_a_sequence_that_no_column_owns_is_raised_or_the_copy_is_refused(lab):  # kind 8
    new = levels(lab)
    lab.sql("ALTER TABLE new_reading ALTER id DROP IDENTITY")
    lab.sql("CREATE SEQUENCE hibernate_sequence")
    lab.sql("ALTER TABLE new_reading ALTER id SET DEFAULT nextval('hibernate_sequence')")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "new_reading", "sequence")
        return
    assert_copied(lab, answer, LEVELS)
    assert new.objects.create(level=99.0).pk > LEVELS[-1][0]


@on(*INTO_POSTGRESQL)
def test_a_sequence_that_lies_behind_is_raised(lab):  # kind 8
    new = levels(lab)
    lab.sql("INSERT INTO new_reading (id, level) VALUES (500, 9.0), (501, 9.5)")
    assert lab.run().code == 0
    assert lab.count() == len(LEVELS) + 2
    assert sorted(level for (level,) in lab.rows("level")) == sorted([9.0, 9.5, *(level for _, level in LEVELS)])
    assert new.objects.create(level=99.0).pk not in {key for (key,) in lab.rows("id")} - {new.objects.last().pk}


@on(*INTO_POSTGRESQL)
def test_a_key_without_any_default_is_filled_or_refused(lab):  # kind 8
    levels(lab)
    lab.sql("ALTER TABLE new_reading ALTER id DROP IDENTITY")
    answer = lab.run()
    if answer.code == 2:
        assert_refused(lab, answer, "new_reading")
        return
    assert_copied(lab, answer, LEVELS)


PLPGSQL = "CREATE FUNCTION mind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
ATTACH = "CREATE TRIGGER own_mind BEFORE INSERT ON new_reading FOR EACH ROW EXECUTE FUNCTION mind()"
TRIGGERS = {
    "changes": {
        "postgresql": "NEW.level := round(NEW.level); RETURN NEW;",
        "sqlite": "CREATE TRIGGER own_mind AFTER INSERT ON new_reading "
        "BEGIN UPDATE new_reading SET level = round(level) WHERE id = NEW.id; END",
    },
    "swallows some": {
        "postgresql": "IF NEW.level > 2 THEN RETURN NULL; END IF; RETURN NEW;",
        "sqlite": "CREATE TRIGGER own_mind BEFORE INSERT ON new_reading WHEN NEW.level > 2 "
        "BEGIN SELECT RAISE(IGNORE); END",
    },
    "swallows all": {
        "postgresql": "RETURN NULL;",
        "sqlite": "CREATE TRIGGER own_mind BEFORE INSERT ON new_reading BEGIN SELECT RAISE(IGNORE); END",
    },
    "deletes": {
        "postgresql": "DELETE FROM new_reading WHERE level = NEW.level - 0.25; RETURN NEW;",
        "sqlite": "CREATE TRIGGER own_mind AFTER INSERT ON new_reading "
        "BEGIN DELETE FROM new_reading WHERE level = NEW.level - 0.25; END",
    },
}


def attach(lab, bodies):
    """Create a trigger on the target."""
    if lab.target_vendor == "sqlite":
        lab.sql(bodies["sqlite"])
    else:
        lab.sql(PLPGSQL.format(body=bodies["postgresql"]))
        lab.sql(ATTACH)


@on(*WITHIN, TO_POSTGRESQL)
@pytest.mark.parametrize("kind", TRIGGERS)
def test_what_a_trigger_does_to_rows_is_refused_or_told(lab, kind):  # kind 8
    levels(lab)
    attach(lab, TRIGGERS[kind])
    answer = lab.run("--batch-size=5")
    if answer.code == 2:
        assert_refused(lab, answer, "own_mind")
        return
    wrong = [row for row in LEVELS if row not in lab.rows()]
    assert wrong
    assert answer.code == 1, answer
    assert sum(answer.differences.values()) + answer.rejected >= len(wrong), answer
    again = lab.run("--verify")
    assert (again.code, again.verified) == (1, False) or lab.rejects()


@on(*EACH)
def test_a_trigger_that_refuses_rows_leaves_rejects_with_its_message(lab):  # kind 8
    levels(lab)
    attach(
        lab,
        {
            "postgresql": "IF NEW.level > 2 THEN RAISE EXCEPTION 'level too high'; END IF; RETURN NEW;",
            "sqlite": "CREATE TRIGGER own_mind BEFORE INSERT ON new_reading WHEN NEW.level > 2 "
            "BEGIN SELECT RAISE(ABORT, 'level too high'); END",
        },
    )
    answer = lab.run("--batch-size=5")
    keys = [key for key, level in LEVELS if level > 2]
    assert_rejected(lab, answer, keys, "level too high", [row for row in LEVELS if row[1] <= 2])


@on(*WITHIN, TO_SQLITE, TO_POSTGRESQL)
def test_a_trigger_that_leaves_the_values_alone_does_not_matter(lab):  # kind 8
    levels(lab)
    lab.sql("CREATE TABLE audit (reading_id bigint)")
    attach(
        lab,
        {
            "postgresql": "INSERT INTO audit VALUES (NEW.id); RETURN NEW;",
            "sqlite": "CREATE TRIGGER own_mind AFTER INSERT ON new_reading "
            "BEGIN INSERT INTO audit VALUES (NEW.id); END",
        },
    )
    assert_copied(lab, lab.run(), LEVELS)
    assert lab.count("audit") == len(LEVELS)


@on(*EACH)
def test_a_generated_column_computes_itself(lab):  # kind 8
    lab.build("level double precision", LEVELS)
    double = GeneratedField(expression=F("level") * 2, output_field=FloatField(), db_persist=True)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField(), double=double), "level")
    assert_round_trip(lab, [(key, level, level * 2) for key, level in LEVELS], "id, level, double")


@on(*EACH)
def test_a_column_that_the_database_generates_is_refused_with_its_name(lab):  # kind 8
    lab.build("level double precision", LEVELS)
    key = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "bigint GENERATED BY DEFAULT AS IDENTITY"}
    lab.sql(
        f"CREATE TABLE new_reading (id {key[lab.target_vendor]}, level double precision, "
        "double double precision GENERATED ALWAYS AS (level * 2) STORED)"
    )
    new = lab.model("New", "new_reading", managed=True, level=FloatField(), double=FloatField(null=True))
    lab.declare(lab.old(level=FloatField()), new, "level", double=F("level"))
    dry, answer = lab.run("--dry-run"), lab.run()
    assert dry.code == 2
    assert_refused(lab, answer, "double")


@on(*ALL)
def test_a_value_that_a_live_row_holds_is_rejected(lab):  # kind 8
    lab.build("code varchar(10)", [(1, "A"), (2, "B"), (3, "C"), (4, "É")])
    lab.declare(lab.old(code=CharField(max_length=10)), lab.new(code=CharField(max_length=10, unique=True)), "code")
    lab.sql("INSERT INTO new_reading (id, code) VALUES (50, 'B'), (51, 'É')")
    answer = lab.run()
    assert sorted(code for (code,) in lab.rows("code")) == ["A", "B", "C", "É"], answer
    assert sorted(lab.rejects()) == [2, 4]
    for reason in lab.rejects().values():
        assert_named(reason, "code")
    assert (answer.code, answer.copied, answer.verified) == (1, 2, True)
    lab.sql("DELETE FROM new_reading WHERE id = 50")
    assert lab.run("--retry-rejected").rejected == 1
    assert sorted(lab.rejects()) == [4]


@on(*EACH)
def test_of_two_rows_with_one_unique_value_one_arrives(lab):  # kind 8
    lab.build("code varchar(10)", [(1, "A"), (2, "B"), (3, "A"), (4, None), (5, None), (6, "B"), (7, "A")])
    new = lab.new(code=CharField(max_length=10, unique=True, null=True))
    lab.declare(lab.old(code=CharField(max_length=10)), new, "code")
    answer = lab.run("--batch-size=2")
    assert sorted(str(code) for (code,) in lab.rows("code")) == ["A", "B", "None", "None"], answer
    assert (answer.code, answer.copied, answer.rejected) == (1, 4, 3)
    assert set(lab.rejects()) | {key for (key,) in lab.rows("id")} == set(range(1, 8))


@on(*EACH)
def test_an_index_on_an_expression_is_unique_too(lab):  # kind 8
    lab.build("code varchar(10)", [(1, "a"), (2, "B"), (3, "c")])
    unique = UniqueConstraint(Lower("code"), name="one_code")
    new = lab.new(code=CharField(max_length=10), meta={"constraints": [unique]})
    lab.declare(lab.old(code=CharField(max_length=10)), new, "code")
    lab.sql("INSERT INTO new_reading (id, code) VALUES (9, 'b')")
    answer = lab.run()
    assert sorted(code for (code,) in lab.rows("code")) == ["a", "b", "c"]
    assert list(lab.rejects()) == [2]
    assert_named(lab.rejects()[2], "one_code")
    assert answer.code == 1


@on(*INTO_POSTGRESQL)
def test_a_row_without_a_partition_is_rejected(lab):  # kind 8
    lab.build("level double precision", [(1, 0.5), (50, 1.0), (150, 1.5), (7, None)])
    lab.sql(
        "CREATE TABLE new_reading (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, level double precision) "
        "PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF new_reading FOR VALUES FROM (1) TO (10); "
        "CREATE TABLE part_2 PARTITION OF new_reading FOR VALUES FROM (10) TO (100)"
    )
    new = lab.model("New", "new_reading", managed=True, id=BigAutoField(primary_key=True), level=FloatField(null=True))
    lab.declare(lab.old(level=FloatField(null=True)), new, "level")
    answer = lab.run("--batch-size=3")
    assert_rejected(lab, answer, [150], "partition", [(1, 0.5), (7, None), (50, 1.0)])


@on(SQLITE, POSTGRESQL)
def test_a_check_that_the_model_does_not_know_leaves_rejects(lab):  # kind 8
    lab.build("level double precision", LEVELS)
    key = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "bigint GENERATED BY DEFAULT AS IDENTITY"}
    lab.sql(
        f"CREATE TABLE new_reading (id {key[lab.target_vendor]}, level double precision "
        "CONSTRAINT level_is_low CHECK (level < 2.75))"
    )
    new = lab.model("New", "new_reading", managed=True, level=FloatField())
    lab.declare(lab.old(level=FloatField()), new, "level")
    assert_rejected(lab, lab.run(), [11, 12], "level_is_low", LEVELS[:10])
