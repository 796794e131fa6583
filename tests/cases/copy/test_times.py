"""An offset in a text counts on every database; a time without one is read in one zone everywhere."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import CharField, DateTimeField

from tests.cases.copy.api import AwareDateTime, RunTimestamp
from tests.cases.copy.routes import ALL, FROM_POSTGRESQL, SQLITE, TO_POSTGRESQL, TO_SQLITE, WITHIN, on

TEN = datetime(2024, 7, 1, 10, tzinfo=UTC)


def texts(lab, values):
    """Build a source with times as text, and declare a copy that reads them."""
    lab.build("at varchar(40)", list(enumerate(values, 1)))
    new = lab.new(at=DateTimeField(null=True))
    lab.declare(lab.old(at=CharField(max_length=40)), new, at=AwareDateTime("at"))
    return new


def instants(new):
    """Return the instants that Django reads, by key."""
    return dict(new.objects.order_by("pk").values_list("pk", "at"))


OFFSETS = [
    "2024-07-01T10:00:00Z",
    "2024-07-01 12:00:00+02:00",
    "2024-07-01 12:00:00",
    "2024-07-01T12:00:00",
    "2024-07-01 15:30:00+05:30",
    "2024-07-01T06:30:00.000-03:30",
    "2024-07-01 03:00:00-0700",
    "2024-07-01 10:00:00+00",
    "2024-07-01T12:00",
]


@on(*ALL)
def test_an_offset_in_a_text_counts(lab, settings):  # C06, R06
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    new = texts(lab, OFFSETS)
    answer = lab.run()
    assert {OFFSETS[key - 1]: at for key, at in instants(new).items()} == dict.fromkeys(OFFSETS, TEN), lab.rejects()
    assert (answer.code, answer.verified) == (0, True)


@on(*ALL)
def test_unusual_forms_of_a_time_arrive_right_or_not_at_all(lab, settings):  # C06
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    forms = {
        "20240701T100000Z": TEN,
        "2024-07-01 12:00:00 CEST": TEN,
        "2024-07-01 12:00:00 Europe/Berlin": TEN,
        "2024-07-01 03:00:00 PDT": TEN,
        "2024-07-01 10:00:00 UTC": TEN,
        "2024-07-01 12:00:00 PM": TEN,
        "2024-07-01": datetime(2024, 6, 30, 22, tzinfo=UTC),
        "2024-07-01T10:00:00.123456Z": TEN + timedelta(microseconds=123456),
        " 2024-07-01T10:00:00Z ": TEN,
        "1719828000": None,
        "31.12.2024 12:00": None,
        "now": None,
        "today": None,
        "": None,
    }
    new = texts(lab, list(forms))
    answer = lab.run()
    assert answer.json["status"] == "completed", answer
    found, expected = instants(new), dict(enumerate(forms.values(), 1))
    assert {list(forms)[key - 1]: at for key, at in found.items() if at != expected[key]} == {}
    assert 8 in found
    assert set(found) | set(lab.rejects()) == set(expected)
    assert answer.rejected == len(expected) - len(found)


ZONES = {
    "Asia/Kathmandu": "2024-07-01 15:45:00",
    "America/St_Johns": "2024-07-01 07:30:00",
    "UTC": "2024-07-01 10:00:00",
    "Europe/Berlin": "2024-07-01T10:00:00Z",
}


@on(*ALL)
def test_the_zone_of_the_declaration_is_for_times_without_one(lab, settings):  # C06
    settings.LEGACY_TIME_ZONE = "Pacific/Auckland"
    names = [f"at{number}" for number in range(len(ZONES))]
    lab.build(", ".join(f"{name} varchar(40)" for name in names), [(1, *ZONES.values())])
    new = lab.new(**{name: DateTimeField() for name in names})
    old = lab.old(**{name: CharField(max_length=40) for name in names})
    lab.declare(old, new, **{name: AwareDateTime(name, zone=zone) for name, zone in zip(names, ZONES, strict=True)})
    assert lab.run().code == 0
    assert new.objects.values_list(*names).get() == (TEN,) * len(ZONES)


@on(*FROM_POSTGRESQL)
def test_a_column_with_a_zone_is_not_moved(lab, settings):  # C06
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    lab.build("at timestamptz", [(1, "2024-07-01 12:00:00.000001+02"), (2, "2024-07-01 10:00:00.000001+00")])
    new = lab.new(at=DateTimeField())
    lab.declare(lab.old(at=DateTimeField()), new, at=AwareDateTime("at"))
    assert lab.run().code == 0
    assert set(instants(new).values()) == {TEN + timedelta(microseconds=1)}


def naive(lab):
    """Build a source with one local time without a zone: noon in Berlin is 10:00 UTC."""
    lab.build({"sqlite": "at datetime", "postgresql": "at timestamp"}[lab.source_vendor], [(1, "2024-07-01 12:00:00")])
    new = lab.new(at=DateTimeField(), imported=DateTimeField())
    lab.declare(lab.old(at=DateTimeField()), new, at=AwareDateTime("at"), imported=RunTimestamp())
    return new


def assert_ten(lab, new, zone):
    """Assert that Django reads 10:00 UTC, and that the run's own timestamp is about now."""
    answer = lab.run()
    row = new.objects.get()
    read = [at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone)) for at in (row.at, row.imported)]
    assert read[0] == TEN, answer
    assert abs(read[1] - datetime.now(UTC)) < timedelta(minutes=10)
    assert (answer.code, answer.verified) == (0, True)
    assert lab.run("--verify").status == "verified"


@on(*ALL)
def test_a_zone_of_the_target_alias_moves_nothing(lab, settings):  # R07, Y02
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    new = naive(lab)
    lab.reconnect("default", TIME_ZONE="Asia/Tokyo")
    assert_ten(lab, new, "Asia/Tokyo")


@on(TO_POSTGRESQL, TO_SQLITE, "sqlite-sqlite", "postgresql-postgresql")
def test_a_zone_of_the_source_alias_moves_nothing(lab, settings):  # R07, Y02
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    new = naive(lab)
    lab.reconnect("legacy", TIME_ZONE="Asia/Tokyo")
    assert_ten(lab, new, "UTC")


@on(*ALL)
def test_a_project_without_time_zone_support_reads_the_same_instants(lab, settings):  # R07, Y02
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    settings.TIME_ZONE, settings.USE_TZ = "America/New_York", False
    new = naive(lab)
    assert_ten(lab, new, "America/New_York")


@on(*WITHIN, TO_POSTGRESQL)
def test_a_whole_project_in_another_zone_reads_the_same_instants(lab, settings):  # Y02
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    settings.TIME_ZONE = "Australia/Lord_Howe"
    new = naive(lab)
    assert_ten(lab, new, "Australia/Lord_Howe")


@on(SQLITE, TO_POSTGRESQL)
def test_django_s_own_texts_in_sqlite_are_read_as_they_were_written(lab, settings):  # Y02
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    lab.build("at datetime", [(1, "2024-07-01 10:00:00"), (2, "2024-07-01 10:00:00.5")])
    new = lab.new(at=DateTimeField())
    lab.declare(lab.old(at=DateTimeField()), new, at=AwareDateTime("at", zone="UTC"))
    assert lab.run().code == 0
    assert instants(new) == {1: TEN, 2: TEN + timedelta(seconds=0.5)}
