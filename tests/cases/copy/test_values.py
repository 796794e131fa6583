"""A value that the target cannot hold exactly is rejected; all others arrive as they are."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.db.models import (
    BigAutoField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    F,
    FloatField,
    Func,
    IntegerField,
    JSONField,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Round

from tests.cases.copy.api import AwareDateTime
from tests.cases.copy.judge import assert_named, assert_rejected, assert_round_trip
from tests.cases.copy.routes import (
    ALL,
    BETWEEN_SERVERS,
    EACH,
    FROM_POSTGRESQL,
    FROM_SQLITE,
    POSTGRESQL,
    SQLITE,
    TO_POSTGRESQL,
    TO_SQLITE,
    WITHIN,
    on,
)
from tests.databases import ROOT

TWO_PLACES = {"max_digits": 9, "decimal_places": 2}


def values_of(model, field="level"):
    """Return the target's values as Django reads them, by key."""
    return dict(model.objects.order_by("pk").values_list("pk", field))


@on(*ALL)
@pytest.mark.parametrize(
    "value", [F("amount"), Cast("amount", DecimalField(**TWO_PLACES))], ids=["as it is", "by a cast"]
)
def test_amounts_with_more_decimals_are_rejected(lab, value):  # C05
    amounts = [(1, "12.345"), (2, "0.005"), (3, "0.0001"), (4, "12.5"), (5, "12.34"), (6, "-7"), (7, None)]
    lab.build("amount numeric(12,4)", amounts)
    old = lab.old(amount=DecimalField(max_digits=12, decimal_places=4, null=True))
    new = lab.new(amount=DecimalField(**TWO_PLACES, null=True))
    lab.declare(old, new, amount=value)
    answer = lab.run()
    kept = {4: Decimal("12.50"), 5: Decimal("12.34"), 6: Decimal(-7), 7: None}
    assert values_of(new, "amount") == kept, answer
    assert sorted(lab.rejects()) == [1, 2, 3]
    for reason in lab.rejects().values():
        assert_named(reason, "amount")
    assert (answer.code, answer.rejected, answer.verified) == (1, 3, True)


@on(*EACH)
def test_a_declaration_may_round(lab):  # C05
    lab.build("amount numeric(12,4)", [(1, "12.347"), (2, "0.001"), (3, "-1.5")])
    old = lab.old(amount=DecimalField(max_digits=12, decimal_places=4))
    new = lab.new(amount=DecimalField(**TWO_PLACES))
    lab.declare(old, new, amount=Round("amount", precision=2))
    answer = lab.run()
    assert values_of(new, "amount") == {1: Decimal("12.35"), 2: Decimal(0), 3: Decimal("-1.5")}
    assert (answer.code, answer.verified) == (0, True), answer


@on(*ALL)
def test_a_longer_text_is_rejected_even_if_only_spaces_exceed(lab):  # C05
    lab.build("name varchar(10)", [(1, "abc"), (2, "abc   "), (3, "ab "), (4, "ñandú"), (5, "日本語"), (6, "")])
    lab.declare(lab.old(name=CharField(max_length=10)), lab.new(name=CharField(max_length=3)), "name")
    kept = [(1, "abc"), (3, "ab "), (5, "日本語"), (6, "")]
    assert_rejected(lab, lab.run(), [2, 4], "name", kept)


@on(TO_SQLITE)
def test_numbers_that_sqlite_cannot_hold_are_rejected(lab):  # R05
    numbers = [(1, "12345678901234567.89"), (2, "NaN"), (3, "1.50"), (4, "0.1"), (5, "-99999999999.99")]
    lab.build("level numeric", numbers)
    old = lab.old(level=DecimalField(max_digits=19, decimal_places=2))
    new = lab.new(level=DecimalField(max_digits=19, decimal_places=2))
    lab.declare(old, new, "level")
    answer = lab.run()
    assert values_of(new) == {3: Decimal("1.5"), 4: Decimal("0.1"), 5: Decimal("-99999999999.99")}
    assert set(lab.rejects()) == {1, 2}
    assert answer.code == 1


@on(*FROM_SQLITE)
def test_times_finer_than_a_microsecond_are_rejected(lab):
    times = ["10:00:00", "10:00:00.123", "10:00:00.123456", "10:00:00.1234567", "10:00:00.000000001"]
    lab.build("level text", [(key, f"2024-07-01 {time}") for key, time in enumerate(times, 1)])
    new = lab.new(level=DateTimeField())
    lab.declare(lab.old(level=DateTimeField()), new, level=AwareDateTime("level"))
    answer = lab.run()
    assert sorted(lab.rejects()) == [4, 5]
    assert answer.code == 1
    moment = datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert values_of(new) == {
        1: moment, 2: moment + timedelta(microseconds=123000), 3: moment + timedelta(microseconds=123456),
    }  # fmt: skip


@on(*FROM_POSTGRESQL)
def test_a_fraction_for_an_integer_is_rejected(lab):
    lab.build("level double precision", [(1, 1.0), (2, 1.5), (3, 0.5), (4, -3.0), (5, "NaN")])
    lab.declare(lab.old(level=IntegerField()), lab.new(level=IntegerField()), "level")
    answer = lab.run()
    if answer.code == 2:
        assert_named(answer.text, "level", "Cast")
        return
    assert_rejected(lab, answer, [2, 3, 5], "level", [(1, 1), (4, -3)], "id, level")


@on(*FROM_SQLITE)
def test_what_is_no_integer_in_sqlite_is_rejected(lab):
    values = [(1, 7), (2, 2.5), (3, "many"), (4, 9.3e18), (5, b"\x07"), (6, -(2**63)), (7, "")]
    lab.build("level bigint", values)
    lab.declare(lab.old(level=BigIntegerField()), lab.new(level=BigIntegerField()), "level")
    assert_rejected(lab, lab.run(), [2, 3, 4, 5, 7], "level", [(1, 7), (6, -(2**63))], "id, level")


@on(TO_POSTGRESQL, BETWEEN_SERVERS, POSTGRESQL)
def test_an_integer_out_of_range_is_rejected(lab):  # Y01
    top = 2**31
    lab.build("level bigint", [(1, top), (2, top - 1), (3, -top), (4, -top - 1), (5, 3_000_000_000)])
    lab.declare(lab.old(level=BigIntegerField()), lab.new(level=IntegerField()), "level")
    assert_rejected(lab, lab.run(), [1, 4, 5], "level", [(2, top - 1), (3, -top)], "id, level")


@on(*EACH)
def test_text_that_a_cast_cannot_read_whole_is_rejected(lab):
    watts = ["1500", "abc", "12,5", "", "1e3", None, "10 kW", "-20.5"]
    lab.build("watts varchar(20)", list(enumerate(watts, 1)))
    new = lab.new(kilowatts=FloatField(null=True))
    lab.declare(lab.old(watts=CharField(max_length=20)), new, kilowatts=Cast("watts", FloatField()) / 1000)
    answer = lab.run()
    assert lab.rows() == [(1, 1.5), (5, 1.0), (6, None), (8, -0.0205)]
    assert sorted(lab.rejects()) == [2, 3, 4, 7]
    assert (answer.code, answer.rejected) == (1, 4)
    for reason in lab.rejects().values():
        assert "watts" in reason


@on(*FROM_SQLITE)
def test_the_example_of_the_documentation_loses_no_text(lab):
    lab.build("watts integer", [(1, 1500), (2, "abc"), (3, 2500), (4, "12 W"), (5, None)])
    new = lab.new(kilowatts=FloatField(null=True))
    lab.declare(lab.old(watts=IntegerField(null=True)), new, kilowatts=Cast("watts", FloatField()) / 1000)
    assert_rejected(lab, lab.run(), [2, 4], "watts", [(1, 1.5), (3, 2.5), (5, None)])


@on(*EACH)
@pytest.mark.parametrize(
    ("column", "source", "target", "rows", "kept"),
    [
        ("double precision", FloatField, IntegerField, [(1, 3.0), (2, 2.5), (3, -0.4)], [(1, 3)]),
        ("varchar(20)", TextField, IntegerField, [(1, "12"), (2, "12.7"), (3, "twelve")], [(1, 12)]),
        ("varchar(20)", TextField, BigIntegerField, [(1, "-5"), (2, "9223372036854775808"), (3, "")], [(1, -5)]),
    ],
    ids=["fraction", "text", "64 bits"],
)
def test_a_cast_that_loses_digits_rejects_the_row(lab, column, source, target, rows, kept):
    lab.build(f"level {column}", rows)
    lab.declare(lab.old(level=source()), lab.new(level=target()), level=Cast("level", target()))
    assert_rejected(lab, lab.run(), [2, 3], "level", kept, "id, level")


@on(*EACH)
def test_a_cast_to_a_shorter_text_rejects_what_is_longer(lab):
    lab.build("level varchar(20)", [(1, "abc"), (2, "abcdef"), (3, "äöü"), (4, "äöüß")])
    new = lab.new(level=CharField(max_length=3))
    lab.declare(lab.old(level=CharField(max_length=20)), new, level=Cast("level", CharField(max_length=3)))
    assert_rejected(lab, lab.run(), [2, 4], "level", [(1, "abc"), (3, "äöü")])


@on(*EACH)
def test_a_date_that_carries_a_time_is_rejected(lab):
    column = {"sqlite": "text", "postgresql": "timestamp"}[lab.source_vendor]
    lab.build(
        f"level {column}", [(1, "2024-07-01 00:00:00"), (2, "2024-07-01 10:30:00"), (3, "1999-12-31 23:59:59.999")]
    )
    new = lab.new(level=DateField())
    lab.declare(lab.old(level=DateField()), new, "level")
    answer = lab.run()
    if answer.code == 2:
        assert_named(answer.text, "level", "Cast")
        return
    assert {2, 3} <= set(lab.rejects()) <= {1, 2, 3}
    assert values_of(new) == {key: datetime(2024, 7, 1).date() for key in {1} - set(lab.rejects())}  # noqa: DTZ001


YES, NO = (Value(flag) for flag in (True, False))
UID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@on(TO_POSTGRESQL)
def test_dashed_uuids_arrive_in_postgresql(lab):  # C17
    lab.build("uid varchar(36)", [(1, str(UID)), (2, UID.hex), (3, str(UID).upper()), (4, "no uuid")])
    new = lab.new(uid=UUIDField())
    lab.declare(lab.old(uid=UUIDField()), new, "uid")
    answer = lab.run()
    assert values_of(new, "uid") == {1: UID, 2: UID, 3: UID}
    assert list(lab.rejects()) == [4]
    assert_named(lab.rejects()[4], "uid")
    assert (answer.code, answer.verified) == (1, True)


@on(SQLITE)
def test_dashed_uuids_become_what_django_reads_or_are_rejected(lab):  # C17
    lab.build("uid varchar(36)", [(1, str(UID)), (2, UID.hex)])
    new = lab.new(uid=UUIDField())
    lab.declare(lab.old(uid=UUIDField()), new, "uid")
    lab.run()
    rejects = lab.rejects()
    assert set(rejects) <= {1}
    for reason in rejects.values():
        assert_named(reason, "uid", "Replace")
    assert new.objects.filter(uid=UID).count() == 2 - len(rejects)
    assert lab.count() == 2 - len(rejects)


@on(TO_SQLITE)
def test_what_postgresql_has_types_for_arrives_as_django_stores_it(lab):  # C17
    lab.build(
        "uid uuid, at timestamptz, span interval, data bytea, flag boolean, doc jsonb",
        [(1, str(UID), "2024-07-01 12:00:00.000001+02", "1 day 02:00:00.5", b"\x00\xff'", True, '{"ü": [1, null]}')],
    )
    fields = {
        "uid": UUIDField, "at": DateTimeField, "span": DurationField, "data": BinaryField, "flag": BooleanField,
        "doc": JSONField,
    }  # fmt: skip
    new = lab.new(**{name: field() for name, field in fields.items()})
    lab.declare(lab.old(**{name: field() for name, field in fields.items()}), new, *fields)
    answer = lab.run()
    row = new.objects.get(
        uid=UID, at=datetime(2024, 7, 1, 10, 0, 0, 1, tzinfo=UTC), span=timedelta(1, 7200, 500000), flag=True
    )
    assert (row.data, row.doc) == (b"\x00\xff'", {"ü": [1, None]})
    assert (answer.code, answer.verified) == (0, True)


@on(TO_SQLITE)
def test_an_interval_of_years_has_no_length_and_is_rejected(lab):
    lab.build("span interval", [(1, "3 days"), (2, "1 year"), (3, "-00:00:00.000001"), (4, "1 year 2 days")])
    new = lab.new(span=DurationField())
    lab.declare(lab.old(span=DurationField()), new, "span")
    answer = lab.run()
    assert values_of(new, "span") == {1: timedelta(3), 3: timedelta(microseconds=-1)}
    assert sorted(lab.rejects()) == [2, 4]
    assert answer.code == 1


@on(*FROM_SQLITE)
def test_flags_and_epochs_of_other_tools_are_not_bent(lab):  # C18
    rows = [
        (1, "t", 1720000000), (2, "f", 1720000000123), (3, 1, "2024-07-03 10:00:00.123"), (4, "true", "2024-07-03"),
        (5, 2, "2024-07-03 10:00:00"), (6, 0, "2024-07-03 10:00:00"),
    ]  # fmt: skip
    lab.build("flag boolean, at datetime", rows)
    new = lab.new(flag=BooleanField(), at=DateTimeField())
    lab.declare(lab.old(flag=BooleanField(), at=DateTimeField()), new, "flag", at=AwareDateTime("at"))
    answer = lab.run()
    moment = datetime(2024, 7, 3, 10, tzinfo=UTC)
    right = {
        3: (True, moment.replace(microsecond=123000)), 4: (True, moment.replace(hour=0)), 6: (False, moment),
    }  # fmt: skip
    found = {row.pk: (row.flag, row.at) for row in new.objects.all()}
    assert found == {key: right[key] for key in found}
    assert {3, 6} <= set(found)
    assert set(lab.rejects()) == {1, 2, 3, 4, 5, 6} - set(found)
    assert answer.code == 1


@on(*FROM_SQLITE)
def test_flags_and_epochs_arrive_by_an_expression(lab):  # C18
    lab.build("flag boolean, at datetime", [(1, "t", 1720000000), (2, "f", 1720000600), (3, 1, 0), (4, 0, -1)])
    new = lab.new(flag=BooleanField(), at=DateTimeField())
    lab.declare(
        lab.old(flag=TextField(), at=IntegerField()),
        new,
        flag=Case(When(flag__in=["t", "1"], then=YES), When(flag__in=["f", "0"], then=NO)),
        at=Func(F("at"), Value("unixepoch"), function="datetime", output_field=DateTimeField()),
    )
    answer = lab.run()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = {1: (True, 1720000000), 2: (False, 1720000600), 3: (True, 0), 4: (False, -1)}
    assert {row.pk: (row.flag, row.at) for row in new.objects.all()} == {
        key: (flag, epoch + timedelta(seconds=number)) for key, (flag, number) in seconds.items()
    }, (answer, lab.rejects())
    assert (answer.code, answer.verified) == (0, True)


def test_the_documentation_shows_how_to_read_flags_and_epochs():  # C18
    text = (ROOT / "docs" / "copying.md").read_text()
    assert "unixepoch" in text
    assert "When(" in text


NUL, SURROGATE, ESCAPED = json.dumps({"v": "a\x00b"}), '{"v": "\\ud800"}', json.dumps({"v": "a\\u0000b"})
UNFIT_JSON, ALL_ROWS = 450, 1500


def documents():
    """Yield JSON texts: some that only SQLite holds, and one whose backslash is part of the text."""
    for key in range(1, ALL_ROWS + 1):
        yield key, NUL if key <= UNFIT_JSON - 11 else json.dumps({"v": key, "name": "Zürich 🚲"})
    yield from ((ALL_ROWS + number, '{"v": NaN}') for number in range(1, 11))
    yield ALL_ROWS + 11, SURROGATE
    yield ALL_ROWS + 12, ESCAPED


@on(TO_POSTGRESQL)
def test_documents_that_jsonb_refuses_are_rejected_without_a_load_for_each(lab):  # C19, Y01
    rows = list(documents())
    unfit = [key for key, text in rows if text in (NUL, SURROGATE) or "NaN" in text]
    assert len(unfit) == UNFIT_JSON
    lab.build("data text", [])
    with connections["legacy"].cursor() as cursor:
        cursor.executemany("INSERT INTO old_reading VALUES (%s, %s)", rows)
    new = lab.new(data=JSONField())
    lab.declare(lab.old(data=JSONField()), new, "data")
    dry = lab.run("--dry-run")
    assert (dry.code, dry.rejected, dry.copied) == (0, UNFIT_JSON, len(rows) - UNFIT_JSON)
    statements = []

    def counted(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connections["legacy"].execute_wrapper(counted), connections["default"].execute_wrapper(counted):
        answer = lab.run()
    assert (answer.code, answer.rejected, answer.verified) == (1, UNFIT_JSON, True)
    assert sorted(lab.rejects()) == unfit
    assert_named(lab.rejects()[1], "data")
    assert values_of(new, "data")[ALL_ROWS + 12] == {"v": "a\\u0000b"}
    assert lab.count() == len(rows) - UNFIT_JSON
    assert len(statements) < UNFIT_JSON


@on(SQLITE)
def test_documents_with_a_nul_arrive_where_they_can_be_held(lab):  # C19
    lab.build("data text", [(1, NUL), (2, ESCAPED), (3, '{"a":  1}'), (4, "{broken"), (5, None)])
    new = lab.new(data=JSONField(null=True))
    lab.declare(lab.old(data=JSONField(null=True)), new, "data")
    answer = lab.run()
    assert list(lab.rejects()) == [4]
    assert values_of(new, "data") == {1: {"v": "a\x00b"}, 2: {"v": "a\\u0000b"}, 3: {"a": 1}, 5: None}
    assert answer.code == 1


@on(TO_POSTGRESQL)
def test_text_that_is_none_is_rejected_though_the_target_has_no_constraint(lab):  # Y05
    lab.build("note text", [(1, "good"), (2, "a\x00b"), (3, None), (4, b"\xff\xfe"), (5, "ok 🙂")])
    lab.in_source("INSERT INTO old_reading VALUES (6, CAST(x'c328' AS TEXT))")
    lab.declare(lab.old(note=TextField(null=True)), lab.new(note=TextField(null=True)), "note")
    assert_rejected(lab, lab.run(), [2, 4, 6], "note", [(1, "good"), (3, None), (5, "ok 🙂")])


@on(*EACH)
def test_unusual_texts_arrive_as_they_are(lab):
    texts = ["\u00e9", "e\u0301", "", " ", "\t\n\r\\N", "NULL", "it's 100 %", "\\.", "\U0001f6b2", '"', "İ", None]
    lab.build("level text", list(enumerate(texts, 1)))
    lab.declare(lab.old(level=TextField(null=True)), lab.new(level=TextField(null=True)), "level")
    assert_round_trip(lab, list(enumerate(texts, 1)))


@on(*EACH)
def test_a_wide_row_arrives(lab):
    names = [f"c{number}" for number in range(120)]
    rows = [(key, *(key * number / 7 if number % 3 else None for number in range(120))) for key in range(-2, 4)]
    lab.build(", ".join(f"{name} double precision" for name in names), rows)
    fields = {name: FloatField(null=True) for name in names}
    new = lab.new(**{name: FloatField(null=True) for name in names})
    lab.declare(lab.old(**fields), new, *names)
    assert_round_trip(lab, sorted(rows))


@on(*WITHIN)
def test_what_a_reject_held_is_kept_with_it(lab):
    lab.build("amount numeric(12,4), note text", [(1, "12.3456", "Grüße"), (2, "1", "ok")])
    old = lab.old(id=BigAutoField(primary_key=True), amount=DecimalField(max_digits=12, decimal_places=4),
                  note=TextField())  # fmt: skip
    new = lab.new(amount=DecimalField(**TWO_PLACES), note=TextField())
    lab.declare(old, new, "amount", "note")
    lab.run()
    [payload] = lab.payloads().values()
    assert (float(payload["amount"]), payload["note"]) == (12.3456, "Grüße")
    lab.in_source("UPDATE old_reading SET amount = 12.25 WHERE id = 1")
    again = lab.run("--retry-rejected")
    assert (again.code, lab.rejects()) == (0, {})
    assert values_of(new, "amount") == {1: Decimal("12.25"), 2: Decimal(1)}
