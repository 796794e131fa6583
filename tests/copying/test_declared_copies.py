"""Copies between models other than those of CSMS."""

import decimal

import pytest
from django.db import connection, connections

from compat.copying import operations
from compat.copying.job import Job
from compat.copying.models import CopyRun, RejectedRow
from tests import legacy
from tests.copying.lab import (
    NOTES,
    SAMPLES,
    SOURCES,
    TARGETS,
    VISITS,
    Note,
    OldNote,
    OldSample,
    OldVisit,
    Sample,
    Site,
    Visit,
    create,
    in_schema,
)
from tests.databases import connected

postgresql = pytest.mark.parametrize("vendor", ["postgresql"])


@pytest.fixture
def lab(migrated):
    """The database `default` with the tables of the laboratory."""
    create(migrated, SOURCES + TARGETS)
    return migrated


@pytest.fixture(params=["same", "sqlite", "postgresql"])
def source(request, lab, tmp_path):
    """The alias of the database that holds the old tables: the target's own, or another of each kind."""
    if request.param == "same":
        yield lab
        return
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    name = server.create() if server else None
    with connected("legacy", server.url(name) if server else f"sqlite:///{tmp_path / 'old.sqlite3'}"):
        create("legacy", SOURCES)
        yield "legacy"
    if server:
        server.drop(name)


def copy(declared, source="default", **options):
    return operations.copy_rows(Job(declared, source=source, **options))


def test_names_that_meet_those_of_the_engine_are_copied(source):
    OldNote.objects.using(source).create(source_key="a", target_key="b", to_date="c", flaws="d", value_0="e")
    assert copy(NOTES, source).status == "completed"
    assert Note.objects.values_list("source_key", "value_1", "date", "flaws", "order", "other").get() == tuple("abcdee")
    assert operations.roll_back(Job(NOTES)).copied == 1


def test_rows_that_the_base_manager_hides_are_copied(source):
    OldNote.objects.using(source).bulk_create([OldNote(hidden=number % 2 == 0) for number in range(6)])
    assert OldNote.objects.using(source).count() == 3
    assert (copy(NOTES, source).copied, Note.objects.count()) == (6, 6)
    assert operations.verify(Job(NOTES, source=source)).status == "verified"


def test_a_target_without_any_constraint_rejects_only_what_has_no_text(source):
    OldNote.objects.using(source).bulk_create([OldNote(to_date=text) for text in ("one", "two", "three")])
    bad = 0
    if connections[source].vendor == "sqlite" and source != "default":
        legacy.execute(source, "UPDATE lab_oldnote SET to_date = x'ff' WHERE id = 2")
        bad = 1
    result = copy(NOTES, source)
    assert (result.status, result.copied, result.rejected) == ("completed", 3 - bad, bad)


def test_a_value_that_the_column_would_round_is_rejected(source):
    prices = [decimal.Decimal(text) for text in ("12.34", "12.345", "0.005", "7")]
    OldSample.objects.using(source).bulk_create([OldSample(price=price) for price in prices])
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's columns round nothing")
    result = copy(SAMPLES, source)
    assert (result.status, result.copied, result.rejected, result.verified) == ("completed", 2, 2, True)
    assert RejectedRow.objects.first().reasons == [
        {"code": "too_precise", "facts": {"column": "price", "places": 2}}
    ]  # fmt: skip


def test_a_text_with_spaces_beyond_the_length_is_rejected(source):
    OldSample.objects.using(source).bulk_create([OldSample(label="short"), OldSample(label="ten" + 20 * " ")])
    result = copy(SAMPLES, source)
    assert (result.copied, result.rejected) == (1, 1)
    assert RejectedRow.objects.get().reason == "label is longer than 10 characters"


def test_a_reason_names_each_column_once(source):
    OldSample.objects.using(source).create(label=50 * "x" if connections[source].vendor == "sqlite" else 30 * "x")
    Site.objects.create(pk=1, name="only")
    legacy.execute(source, "UPDATE lab_oldsample SET site_id = 9")
    copy(SAMPLES, source)
    reject = RejectedRow.objects.get()
    assert [(reason["code"], reason["facts"]["column"]) for reason in reject.reasons] == [
        ("orphan", "site_id"), ("too_long", "label"),
    ]  # fmt: skip
    assert reject.source_key == str(reject.source_pk)


@postgresql
def test_tables_of_another_schema_are_copied(lab):
    legacy.execute(lab, "CREATE SCHEMA old; CREATE SCHEMA new; ALTER TABLE lab_oldsample SET SCHEMA old; "
                        "ALTER TABLE lab_sample SET SCHEMA new")  # fmt: skip
    with in_schema(OldSample, "old"), in_schema(Sample, "new"):
        Site.objects.create(name="here")
        OldSample.objects.bulk_create([OldSample(site_id=1 + number % 2, label=str(number)) for number in range(20)])
        result = copy(SAMPLES, batch_size=6, defer_indexes="always")
        assert (result.status, result.copied, result.rejected) == ("completed", 10, 10), result.error
        assert operations.roll_back(Job(SAMPLES)).copied == 10


@postgresql
def test_a_key_that_is_there_twice_is_rejected(lab):
    legacy.execute(lab, "ALTER TABLE lab_oldsample DROP CONSTRAINT lab_oldsample_pkey")
    legacy.execute(lab, "INSERT INTO lab_oldsample (id) SELECT * FROM generate_series(1, 10) UNION ALL SELECT 7")
    result = copy(SAMPLES)
    assert (result.status, result.copied) == ("completed", 9)
    assert RejectedRow.objects.get().source_pk == 7


def test_a_copy_that_keeps_keys_leaves_rows_of_others_alone(source):
    sites = Site.objects.bulk_create([Site(name="a"), Site(name="b")])
    OldVisit.objects.using(source).bulk_create([OldVisit(pk=key, site_id=sites[0].pk) for key in (3, 5, 900)])
    Visit.objects.create(pk=5, site=sites[1], imported_at="2020-01-01T00:00Z")
    result = copy(VISITS, source)
    assert (result.status, result.copied, CopyRun.objects.get().offset) == ("completed", 2, 0)
    assert set(Visit.objects.values_list("pk", "site_id")) == {(3, sites[0].pk), (5, sites[1].pk), (900, sites[0].pk)}
    assert Visit.objects.create(site=sites[0], imported_at="2020-01-01T00:00Z").pk == 901
    operations.roll_back(Job(VISITS))
    assert list(Visit.objects.order_by("pk").values_list("pk", flat=True)) == [5, 901]


def test_the_smallest_and_the_largest_key_are_copied(source):
    keys = [-(2**63), -1, 0, 2**63 - 1]
    for key in keys:
        OldSample.objects.using(source).bulk_create([OldSample(pk=key)])
    result = copy(SAMPLES, source, batch_size=2)
    assert (result.status, result.copied) == ("completed", 4), result.error
    assert list(Sample.objects.order_by("pk").values_list("pk", flat=True)) == keys
    assert operations.roll_back(Job(SAMPLES)).copied == 4


def test_keys_that_leave_64_bits_are_refused(lab):
    Sample.objects.create(pk=10)
    OldSample.objects.bulk_create([OldSample(pk=2**63 - 5)])
    result = copy(SAMPLES)
    assert (result.status, result.exit_code, CopyRun.objects.exists()) == ("blocked", 2, False)
    assert "would exceed 64 bits" in result.error
