"""Models that need PostgreSQL's extensions, which not every server brings."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import HStoreField, IntegerRangeField, RangeOperators
from django.contrib.postgres.indexes import BloomIndex, GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper


class Extended(models.Model):
    store = HStoreField(null=True)
    title = models.CharField(max_length=50)
    room = models.IntegerField()
    floor = IntegerRangeField(null=True)

    class Meta:
        indexes = [
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="ext_title_trgm"),
            GinIndex(fields=["store"], name="ext_store_gin"),
            BloomIndex(fields=["room"], name="ext_room_bloom", length=96),
        ]
        constraints = [
            ExclusionConstraint(
                name="ext_no_overlap",
                expressions=[("floor", RangeOperators.OVERLAPS), ("room", RangeOperators.EQUAL)],
            ),
        ]
