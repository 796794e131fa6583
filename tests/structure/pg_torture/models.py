"""Models with everything that only PostgreSQL can store."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
    RangeBoundary,
    RangeOperators,
)
from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import (
    BrinIndex,
    BTreeIndex,
    GinIndex,
    GistIndex,
    HashIndex,
    SpGistIndex,
)
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, UniqueConstraint


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Everything(models.Model):
    tags = ArrayField(models.CharField(max_length=10), db_default=[])
    matrix = ArrayField(ArrayField(models.IntegerField(), size=3), null=True)
    ages = IntegerRangeField(null=True)
    bigs = BigIntegerRangeField(null=True)
    prices = DecimalRangeField(null=True)
    days = DateRangeField(null=True)
    stay = DateTimeRangeField(null=True)
    title = models.CharField(max_length=50, db_collation="C")
    body = models.TextField()
    vector = SearchVectorField(null=True)
    computed = models.GeneratedField(
        expression=SearchVector("body", config="english"), output_field=SearchVectorField(), db_persist=True
    )
    starts = models.DateTimeField(db_default=TransactionNow())
    ends = models.DateTimeField(null=True)
    room = models.IntegerField()
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            GinIndex(fields=["vector"], name="pg_vector_gin"),
            GinIndex(fields=["data"], opclasses=["jsonb_path_ops"], name="pg_data_gin", fastupdate=False),
            GistIndex(fields=["ages"], name="pg_ages_gist"),
            SpGistIndex(fields=["stay"], name="pg_stay_spgist"),
            BrinIndex(fields=["starts"], name="pg_starts_brin", pages_per_range=64),
            HashIndex(fields=["room"], name="pg_room_hash"),
            BTreeIndex(fields=["room"], name="pg_room_btree", fillfactor=70),
            models.Index(fields=["room"], include=["ends"], name="pg_room_covering"),
            models.Index(F("ends").desc(nulls_last=True), name="pg_ends_nulls_last"),
            models.Index(fields=["body"], opclasses=["text_pattern_ops"], name="pg_body_pattern"),
        ]
        constraints = [
            UniqueConstraint(fields=["room", "starts"], name="pg_deferred", deferrable=models.Deferrable.DEFERRED),
            UniqueConstraint(fields=["room", "title"], include=["ends"], name="pg_including"),
            UniqueConstraint(fields=["room", "ends"], nulls_distinct=False, name="pg_nulls_equal"),
            UniqueConstraint(fields=["title"], opclasses=["text_pattern_ops"], name="pg_title_ops"),
            ExclusionConstraint(
                name="pg_no_overlap",
                expressions=[
                    (TsTzRange("starts", "ends", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(room__gt=0),
            ),
            models.CheckConstraint(condition=Q(ages__startswith__gte=0), name="pg_ages_positive"),
        ]


class Elsewhere(models.Model):
    """A table in a schema of its own."""

    name = models.CharField(max_length=9, unique=True)
    other = models.ForeignKey("self", models.CASCADE, null=True)

    class Meta:
        db_table = '"other_schema"."elsewhere"'


class Pointer(models.Model):
    """Two keys of one table elsewhere, and a name that the server cuts in the middle of a letter."""

    by_id = models.ForeignKey(Elsewhere, models.CASCADE, related_name="+")
    by_name = models.ForeignKey(Elsewhere, models.CASCADE, to_field="name", related_name="+")
    visible = models.ForeignKey("Visible", models.CASCADE, related_name="+")

    class Meta:
        db_table = "a_" + 60 * "b" + "ééé"


class Visible(models.Model):
    """A table that names the schema in which it would stand anyway."""

    other = models.ForeignKey("self", models.CASCADE, null=True)

    class Meta:
        db_table = '"public"."visible"'
