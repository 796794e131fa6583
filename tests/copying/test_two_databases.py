"""Copying from another database: parents first, values exact, the source only read."""

import datetime
import decimal
import json
import uuid

import pytest
from django.db import connections, models
from django.db.models import F
from django.test.utils import isolate_apps

from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.declaration import Copy
from compat.copying.job import Job
from compat.copying.models import RejectedRow
from compat.models import Device, DeviceType, PerformanceRecord
from tests import legacy
from tests.databases import connected, driver, manage

OLD_PARENTS = [
    "CREATE TABLE device_types (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL, description VARCHAR(200))",
    "CREATE TABLE devices (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, ip_address VARCHAR(45))",
    "INSERT INTO device_types VALUES (4, 'server', NULL)",
    "INSERT INTO devices VALUES (1, 'a', '10.0.0.1'), (2, 'b', '10.0.0.2'), (30, 'c', '10.0.0.3')",
]
VENDORS = ["sqlite", "postgresql"]


@pytest.fixture(params=VENDORS)
def old(request, tmp_path, django_db_blocker):
    """The alias `legacy`, connected to a database that the earlier application left, with 60 readings."""
    server = name = None
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        name = server.create()
        url = server.url(name)
    with django_db_blocker.unblock(), connected("legacy", url):
        for statement in [*OLD_PARENTS, legacy.TABLE[request.param]]:
            legacy.execute("legacy", statement)
        legacy.append("legacy", 1, 60, devices=2)
        yield url
    if server:
        server.drop(name)


def copy(**options):
    return operations.copy_rows(Job(PERFORMANCE, source="legacy", **options))


def everything(using):
    """Return all rows of the old database."""
    return [
        legacy.execute(using, f"SELECT * FROM {table}") for table in ("device_types", "devices", "performance_data")
    ]


@pytest.mark.parametrize("options", [{}, {"batch_size": 7}, {"workers": 2}], ids=str)
def test_parents_and_rows_arrive_and_the_source_is_only_read(migrated, old, options):
    before = everything("legacy")
    result = copy(**options)
    assert (result.status, result.copied, result.verified) == ("completed", 60, True)
    assert list(Device.objects.order_by("pk").values_list("pk", "name", "ip_address")) == [
        (1, "a", "10.0.0.1"), (2, "b", "10.0.0.2"), (30, "c", "10.0.0.3"),
    ]  # fmt: skip
    assert DeviceType.objects.get().pk == 4
    expected = legacy.execute(
        "legacy", "SELECT id, device_id, cpu_usage, memory_usage FROM performance_data ORDER BY id"
    )
    found = PerformanceRecord.objects.order_by("pk").values_list("pk", "device_id", "cpu_usage", "memory_usage")
    assert list(found) == expected
    assert everything("legacy") == before
    assert Device.objects.create(name="new", ip_address="10.0.0.4").pk == 31


def test_a_second_copy_copies_appended_rows_only(migrated, old):
    copy()
    assert copy().status == "nothing_to_do"
    legacy.append("legacy", 61, 65, devices=2)
    assert copy().copied == 5
    assert operations.verify(Job(PERFORMANCE, source="legacy")).status == "verified"


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("UPDATE performance_records SET cpu_usage = cpu_usage + 1e-9 WHERE id = 7", "changed"),
        ("DELETE FROM performance_records WHERE id = 8", "missing"),
        ("INSERT INTO performance_records (id, device_id, recorded_at, created_at, updated_at) "
         "SELECT 0, device_id, recorded_at, created_at, updated_at FROM performance_records WHERE id = 9", None),
    ],
    ids=["changed", "missing", "outside"],
)  # fmt: skip
def test_verification_finds_what_differs(migrated, old, damage, kind):
    copy()
    legacy.execute(migrated, damage)
    differences = operations.verify(Job(PERFORMANCE, source="legacy")).differences
    assert differences == {name: int(name == kind) for name in ("missing", "extra", "changed")}


def test_a_parent_already_there_is_left_as_it_is(migrated, old, caplog):
    Device.objects.create(pk=2, name="mine", ip_address="10.9.9.9")
    assert copy().status == "completed"
    assert Device.objects.get(pk=2).name == "mine"
    assert "left as they are: 1 changed (source keys 2)" in caplog.text


def test_rolling_back_takes_rows_and_parents_but_not_what_was_there(migrated, old):
    Device.objects.create(pk=2, name="mine", ip_address="10.9.9.9")
    copy()
    result = operations.roll_back(Job(PERFORMANCE))
    assert (result.status, result.copied) == ("rolled_back", 60)
    assert list(Device.objects.values_list("pk", flat=True)) == [2]
    assert not DeviceType.objects.exists()
    assert not PerformanceRecord.objects.exists()
    assert copy().copied == 60


def test_bad_rows_are_rejected(migrated, old):
    legacy.execute("legacy", "UPDATE performance_data SET device_id = 999 WHERE id IN (5, 6)")
    legacy.execute("legacy", "UPDATE performance_data SET timestamp = NULL WHERE id = 7")
    result = copy(batch_size=20)
    assert (result.copied, result.rejected, result.verified) == (57, 3, True)
    assert [row.payload["device_id"] for row in RejectedRow.objects.order_by("source_pk")][:2] == [999, 999]


@pytest.mark.parametrize("old", ["sqlite"], indirect=True)
def test_what_only_sqlite_stores_is_rejected(migrated, old):
    for key, damage in enumerate(
        [
            "cpu_usage = 'n/a'",
            "memory_usage = x'00'",
            "timestamp = 'soon'",
            "device_id = 'x'",
            "cpu_usage = 'a' || char(0)",
        ],
        start=1,
    ):
        legacy.execute("legacy", f"UPDATE performance_data SET {damage} WHERE id = {key}")
    result = copy()
    assert (result.copied, result.rejected) == (55, 5)
    assert "cpu_usage is not a number" in RejectedRow.objects.get(source_pk=1).reason


@pytest.mark.parametrize("old", ["postgresql"], indirect=True)
def test_extreme_values_arrive_unchanged_or_are_rejected(migrated, old, vendor):
    extremes = [
        ("NaN", "2020-01-01"),
        ("1", "infinity"),
        ("1", "4000-01-01 BC"),
        ("5e-324", "9999-12-31 23:59:59.999999"),
        ("-0.0", "0001-01-01"),
        ("-Infinity", "2020-01-01 00:00:00.1"),
        ("1.7976931348623157e308", "2020-01-01"),
    ]
    update = "UPDATE performance_data SET cpu_usage = %s, timestamp = %s WHERE id = %s"
    for key, (number, moment) in enumerate(extremes, start=1):
        legacy.execute("legacy", update, [number, moment, key])
    result = copy()
    bad = [] if vendor == "postgresql" else [1, 2, 3]
    assert (result.rejected, result.verified) == (len(bad), True)
    assert list(RejectedRow.objects.order_by("source_pk").values_list("source_pk", flat=True)) == bad
    assert PerformanceRecord.objects.get(pk=4).recorded_at.isoformat() == "9999-12-31T23:59:59.999999+00:00"
    found = legacy.execute(migrated, "SELECT cpu_usage FROM performance_records WHERE id IN (4, 6, 7) ORDER BY id")
    assert [value for (value,) in found] == [5e-324, float("-inf"), 1.7976931348623157e308]


def test_a_dry_run_checks_rows_whose_parents_are_copied_later(migrated, old):
    legacy.execute("legacy", "UPDATE performance_data SET timestamp = NULL WHERE id = 7")
    result = operations.dry_run(Job(PERFORMANCE, source="legacy"))
    assert (result.source_rows, result.rejected) == (60, 1)
    assert not Device.objects.exists()


def test_the_command_copies_from_the_legacy_database(migrated, migrated_url, old):
    result = manage(
        "migrate_performance", "--source=legacy", "--format=json", url=migrated_url, LEGACY_DATABASE_URL=old, check=0
    )
    assert json.loads(result.stdout)["copied"] == 60


def test_a_source_without_the_table_is_named(migrated, migrated_url, tmp_path):
    file = tmp_path / "none.sqlite3"
    command, variables = ("migrate_performance", "--source=legacy"), {"LEGACY_DATABASE_URL": f"sqlite:///{file}"}
    result = manage(*command, url=migrated_url, check=2, **variables)
    assert f"{file}, which does not exist" in result.stderr
    assert not file.exists()
    file.touch()
    result = manage(*command, url=migrated_url, check=2, **variables)
    assert "performance_data is not in the database 'legacy'" in result.stderr


def test_a_second_name_of_the_target_is_no_source(migrated, migrated_url):
    legacy.build(migrated, 3)
    result = manage(
        "migrate_performance", "--source=legacy", url=migrated_url, LEGACY_DATABASE_URL=migrated_url, check=2
    )
    assert "'legacy' and 'default' are the same database" in result.stderr


def test_a_legacy_role_that_may_only_read_is_enough(migrated, postgres):
    name = postgres.create()
    with connected("legacy", postgres.url(name)):
        for statement in [*OLD_PARENTS, legacy.TABLE["postgresql"]]:
            legacy.execute("legacy", statement)
        legacy.append("legacy", 1, 10, devices=2)
        connections["legacy"].close()
        connections["legacy"].settings_dict["OPTIONS"]["options"] = "-c default_transaction_read_only=on"
        with pytest.raises(Exception, match="read-only") as refused:
            legacy.execute("legacy", "DELETE FROM devices")
        assert isinstance(refused.value.__cause__, driver.errors.ReadOnlySqlTransaction)
        assert copy().copied == 10
    postgres.drop(name)


@isolate_apps("compat")
def test_values_of_every_type_arrive_as_django_reads_them(migrated, old):
    class Kinds(models.Model):
        text = models.TextField()
        name = models.CharField(max_length=100, null=True)
        yes = models.BooleanField(null=True)
        day = models.DateField(null=True)
        clock = models.TimeField(null=True)
        span = models.DurationField(null=True)
        price = models.DecimalField(max_digits=9, decimal_places=3, null=True)
        key = models.UUIDField(null=True)
        address = models.GenericIPAddressField(null=True)
        data = models.BinaryField(null=True)
        facts = models.JSONField(null=True)

        class Meta:
            abstract = True
            app_label = "compat"

    class Old(Kinds):
        pass

    class New(Kinds):
        pass

    for using, model in (("legacy", Old), ("default", New)):
        with connections[using].schema_editor() as editor:
            editor.create_model(model)
    rows = [
        Old(text=""), Old(text="\\N", name="compat"), Old(text='a\tb\nc\rd\\e"f,g\\.', name="\\t{}%s"),
        Old(text="x", yes=True, day=datetime.date(1, 2, 3), clock=datetime.time(23, 5, 6, 700), key=uuid.UUID(int=7),
            span=datetime.timedelta(-3, 5, 7), price=decimal.Decimal("-12.125"), address="10.0.0.1",
            data=b"\x00\\\n\xff", facts={"a": ["\\", "\t", None]}),
        Old(text="y", yes=False, clock=datetime.time(12), address="::1", data=b"", facts=[]),
    ]  # fmt: skip
    Old.objects.using("legacy").bulk_create(rows)
    names = [field.name for field in Old._meta.fields if not field.primary_key]
    result = operations.copy_rows(Job(Copy("kinds", Old, New, {name: F(name) for name in names}), source="legacy"))
    assert (result.status, result.copied) == ("completed", 5), result.error
    before, after = (list(model.objects.using(using).order_by("pk").values_list(*names))
                     for using, model in (("legacy", Old), ("default", New)))  # fmt: skip
    assert [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in after] == [
        [bytes(v) if isinstance(v, memoryview) else v for v in row] for row in before
    ]
