"""Kind 2: what means the same is no difference, whoever wrote it down."""

import re

import pytest

from tests.cases.verify.report import assert_clean

SUBSCRIPTION = """
class Sub(models.Model):
    user_id = models.IntegerField()
    is_active = models.BooleanField()
    archived = models.BooleanField()
    ended = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user_id"], condition=Q(archived=False), name="live")]
        constraints = [
            models.UniqueConstraint(fields=["user_id"], condition=Q(is_active=True), name="one_active"),
            models.CheckConstraint(condition=Q(is_active=True) | Q(ended__isnull=False), name="ended_or_active"),
        ]
"""
BOOLEANS = {
    "sqlite before Django 3.1": ("is_active = 1", "archived = 0", "is_active = 1 OR ended IS NOT NULL"),
    "sqlite with brackets": ("[is_active]", "NOT [archived]", "([is_active] OR ([ended] IS NOT NULL))"),
    "sqlite with the table's name": (
        "is_active = 1",
        "archived = 0",
        "lab_sub.is_active = 1 OR lab_sub.ended IS NOT NULL",
    ),
    "sqlite with two equals signs": ("`is_active` == 1", "`archived` == 0", "is_active == 1 or ended not null"),
    "postgresql before Django 3.1": ("is_active = true", "archived = false", "is_active = true OR ended IS NOT NULL"),
    "postgresql as Rails writes it": ("is_active = 't'", "archived = 'f'", "(is_active = 't') OR (ended IS NOT NULL)"),
}


def declare(lab, unique, live, check):
    """Write the conditions of a subscription as another version wrote them."""
    lab.execute(
        "DROP INDEX one_active", f"CREATE UNIQUE INDEX one_active ON lab_sub (user_id) WHERE {unique}",
        "DROP INDEX live", f"CREATE INDEX live ON lab_sub (user_id) WHERE {live}",
    )  # fmt: skip
    if lab.vendor == "sqlite":
        lab.redeclare("lab_sub", ('("is_active" OR "ended" IS NOT NULL)', f"({check})"))
    else:
        replace_check(lab, "lab_sub", "ended_or_active", f"CHECK ({check})")


def replace_check(lab, table, name, definition):
    lab.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT {name}", f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
    )


@pytest.mark.parametrize(("vendor", "spelling"), [(name.partition(" ")[0], name) for name in BOOLEANS])
def test_conditions_on_flags_mean_the_same_in_every_spelling(lab, spelling):
    lab.create(SUBSCRIPTION)
    declare(lab, *BOOLEANS[spelling])
    assert_clean(lab)


@pytest.mark.parametrize("changed", ["is_active = {false}", "archived = {true}"])
def test_conditions_on_flags_that_mean_something_else_are_told(lab, changed):
    lab.create(SUBSCRIPTION)
    words = {"true": "1", "false": "0"} if lab.vendor == "sqlite" else {"true": "true", "false": "false"}
    lab.execute(
        "DROP INDEX one_active", f"CREATE UNIQUE INDEX one_active ON lab_sub (user_id) WHERE {changed.format(**words)}"
    )
    assert lab.verify().one("lab_sub", "one_active")["severity"] == "error"


STATES = """
STATES = {"draft", "open", "paid", "void", "lost", "sent", "done"}

class Bill(models.Model):
    state = models.CharField(max_length=10)
    level = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["level"], condition=Q(state__in=STATES - {"void"}), name="waiting")]
        constraints = [models.CheckConstraint(condition=Q(state__in=STATES), name="known_state")]
"""
ORDERS = [
    "'draft', 'open', 'paid', 'void', 'lost', 'sent', 'done'",
    "'done', 'sent', 'lost', 'void', 'paid', 'open', 'draft'",
]


@pytest.mark.parametrize("order", ORDERS, ids=["in order", "reversed"])
def test_a_list_from_a_python_set_may_stand_in_any_order(lab, order):
    lab.create(STATES)
    waiting = order.replace("'void', ", "")
    lab.execute("DROP INDEX waiting", f"CREATE INDEX waiting ON lab_bill (level) WHERE state IN ({waiting})")
    if lab.vendor == "sqlite":
        (sql,) = re.findall(
            r'CHECK \("state" IN \(.*?\)\)', lab.value("SELECT sql FROM sqlite_master WHERE name = 'lab_bill'")
        )
        lab.redeclare("lab_bill", (sql, f'CHECK ("state" IN ({order}))'))
    else:
        replace_check(lab, "lab_bill", "known_state", f"CHECK (state IN ({order}))")
    assert_clean(lab)


RESTORED = """
from django.db.models.functions import Concat
from django.db.models import Case, Value, When

class Bill(models.Model):
    state = models.CharField(max_length=10)
    kind = models.CharField(max_length=10, null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    paid = models.BooleanField()
    label = models.GeneratedField(
        expression=Concat("state", Value("-"), "kind"), output_field=models.CharField(max_length=30), db_persist=True
    )
    shown = models.GeneratedField(
        expression=Case(When(paid=True, then=Value("paid")), default=F("state")),
        output_field=models.CharField(max_length=10), db_persist=True,
    )

    class Meta:
        indexes = [
            models.Index(fields=["kind"], condition=Q(state__in=["draft", "open"]) & Q(price__gt=0), name="waiting"),
            models.Index(Lower("state"), name="by_lower"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["draft", "open"]) | Q(price__range=(0, 5)), name="known"),
            models.CheckConstraint(condition=~Q(kind="") & Q(kind__startswith="a"), name="prefixed"),
            models.UniqueConstraint(fields=["kind"], condition=Q(kind__in=["a", "b"]), name="one_kind"),
            models.UniqueConstraint(Lower("kind"), "state", name="one_lower"),
        ]
"""


CHECKS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'lab_bill'::regclass
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'lab_bill'::regclass AND (indpred IS NOT NULL OR indexprs IS NOT NULL)
"""
GENERATED = """
SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attgenerated <> ''
"""


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_what_dump_and_restore_wrote_is_no_difference(lab):
    lab.create(RESTORED)
    for name, definition in lab.rows(CHECKS):
        replace_check(lab, "lab_bill", name, definition)
    for name, definition in lab.rows(INDEXES):
        lab.execute(f"DROP INDEX {name}", definition)
    for name, kind, expression in lab.rows(GENERATED):
        lab.execute(
            f"ALTER TABLE lab_bill DROP COLUMN {name}",
            f"ALTER TABLE lab_bill ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({expression}) STORED",
        )
    assert_clean(lab)


TYPES = """
class Reading(models.Model):
    taken = models.DateTimeField(null=True)
    hour = models.TimeField(null=True)
    span = models.DurationField(null=True)
    value = models.FloatField(null=True)
    price = models.DecimalField(max_digits=5, decimal_places=2, null=True)
"""
SAME_TYPES = {
    "taken": ["timestamptz(6)", "timestamp(6) with time zone"],
    "hour": ["time(6)", "time(6) without time zone"],
    "span": ["interval(6)"],
    "value": ["float(53)", "float8"],
    "price": ["decimal(5, 2)"],
}


@pytest.mark.parametrize("vendor", ["postgresql"])
@pytest.mark.parametrize(("column", "kind"), [(column, kind) for column, kinds in SAME_TYPES.items() for kind in kinds])
def test_a_type_with_its_greatest_precision_is_the_same_type(lab, column, kind):
    lab.create(TYPES)
    lab.execute(f"ALTER TABLE lab_reading ALTER {column} TYPE {kind}")
    assert_clean(lab)


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_serial_key_from_before_django_4_1_is_no_difference(lab):
    lab.create(TYPES)
    lab.execute(
        "ALTER TABLE lab_reading ALTER id DROP IDENTITY",
        "CREATE SEQUENCE lab_reading_id_seq OWNED BY lab_reading.id",
        "ALTER TABLE lab_reading ALTER id SET DEFAULT nextval('lab_reading_id_seq')",
    )
    assert_clean(lab)
