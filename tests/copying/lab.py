"""Models of a laboratory, in a registry of their own: what a copy must also do and CSMS does not need."""

from contextlib import contextmanager

from django.apps.registry import Apps
from django.db import connections, models
from django.db.models import F

from compat.copying.declaration import Copy
from compat.copying.functions import RunTimestamp

registry = Apps()


class Lab(models.Model):
    """Base of the models."""

    class Meta:
        abstract = True
        apps = registry
        app_label = "lab"


class Site(Lab):
    name = models.CharField(max_length=20)


class OldSample(Lab):
    """A sample of the old application; it refers to its site without a constraint."""

    site = models.ForeignKey(Site, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    label = models.CharField(max_length=40, null=True)
    price = models.DecimalField(max_digits=12, decimal_places=4, null=True)


class Sample(Lab):
    """A sample as it should be, with a site or without."""

    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    label = models.CharField(max_length=10, null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)


class Visible(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False)


class OldNote(Lab):
    """A note whose columns have names that the engine could use itself, and whose manager hides rows."""

    source_key = models.TextField(null=True)
    target_key = models.TextField(null=True)
    to_date = models.TextField(null=True)
    value_0 = models.TextField(null=True)
    flaws = models.TextField(null=True)
    hidden = models.BooleanField(default=False)
    objects = Visible()

    class Meta(Lab.Meta):
        base_manager_name = "objects"


class Note(Lab):
    """A note that takes anything, in columns with awkward names."""

    source_key = models.TextField(null=True)
    value_1 = models.TextField(null=True, db_column="value_0")
    date = models.TextField(null=True, db_column="Serial No.")
    flaws = models.TextField(null=True)
    order = models.TextField(null=True, db_column="a" * 62)
    other = models.TextField(null=True, db_column="a" * 61 + "b")


SAMPLES = Copy("samples", OldSample, Sample, {name: F(name) for name in ("site", "label", "price")})
NOTES = Copy(
    "notes",
    OldNote,
    Note,
    {
        "source_key": F("source_key"),
        "value_1": F("target_key"),
        "date": F("to_date"),
        "flaws": F("flaws"),
        "order": F("value_0"),
        "other": F("value_0"),
    },
)


class Visit(Lab):
    site = models.ForeignKey(Site, models.CASCADE, related_name="+")
    imported_at = models.DateTimeField()


class OldVisit(Lab):
    site = models.ForeignKey(Site, models.DO_NOTHING, db_constraint=False, related_name="+")


VISITS = Copy("visits", OldVisit, Visit, {"site": F("site"), "imported_at": RunTimestamp()}, keep_keys=True)
SOURCES, TARGETS = [OldSample, OldNote, OldVisit], [Site, Sample, Note, Visit]


def create(using, models):
    """Create the tables of models."""
    with connections[using].schema_editor() as editor:
        for model in models:
            editor.create_model(model)


@contextmanager
def in_schema(model, schema):
    """Let a model's table be in another schema for the length of the block."""
    table = model._meta.db_table
    model._meta.db_table = f'"{schema}"."{table}"'
    try:
        yield
    finally:
        model._meta.db_table = table
