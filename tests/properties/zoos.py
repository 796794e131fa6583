"""Random sets of models: fields of Django's types, keys among the models, indexes and constraints."""

import datetime
import decimal
import uuid
from contextlib import contextmanager

from django.apps import apps
from django.db import models
from django.db.models.functions import Lower, Now
from django.test.utils import modify_settings
from hypothesis import strategies as st

APP = "tests.properties.zoo"
COLUMNS = ["order", "Select", "with space", "ünïcode", "c" * 60, "c" * 63, "new__x", "rowid2"]
TABLES = ["group", "Mixed_Case", "a table", "t" * 60, "new__zoo_a", "zoo_ä"]
TEXTS = ["", "it's", "100 %", "a\\b", "NULL", "1", 'x"y']
RANGES = {models.SmallIntegerField: 2**15, models.IntegerField: 2**31, models.BigIntegerField: 2**63}
POSITIVE = [models.PositiveSmallIntegerField, models.PositiveIntegerField, models.PositiveBigIntegerField]
KEYS = [models.BigAutoField, models.AutoField, models.SmallAutoField, models.UUIDField, models.CharField]


def kinds(cls, values, **options):
    """Fields of a class: its own options, and a default in the database from `values` or none."""
    return st.fixed_dictionaries({"db_default": st.none() | values, **options}).map(lambda chosen: (cls, chosen))


DIGITS = st.sampled_from([(1, 0), (5, 2), (12, 12), (38, 10)])
TYPES = st.one_of(
    kinds(models.CharField, st.sampled_from(TEXTS), max_length=st.sampled_from([10, 20, 255, 4000])),
    kinds(models.TextField, st.sampled_from(TEXTS)),
    kinds(models.SlugField, st.just("slug")),
    kinds(models.URLField, st.none()),
    *(kinds(cls, st.integers(-top, top - 1)) for cls, top in RANGES.items()),
    *(kinds(cls, st.integers(0, 2**15 - 1)) for cls in POSITIVE),
    kinds(models.BooleanField, st.booleans()),
    kinds(models.FloatField, st.floats(allow_nan=False, allow_infinity=False)),
    kinds(models.DateField, st.dates(datetime.date(1, 1, 1))),
    kinds(models.DateTimeField, st.just(Now()) | st.datetimes(timezones=st.just(datetime.UTC))),
    kinds(models.TimeField, st.times()),
    kinds(models.DurationField, st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999))),
    kinds(models.UUIDField, st.just(uuid.UUID(int=7))),
    kinds(models.JSONField, st.sampled_from([{}, [], {"a": ["it's", None]}])),
    kinds(models.BinaryField, st.sampled_from([b"", b"\x00'"])),
    kinds(models.GenericIPAddressField, st.just("10.0.0.1")),
    DIGITS.flatmap(lambda digits: kinds(models.DecimalField, st.just(decimal.Decimal(0)), max_digits=st.just(digits[0]),
                                        decimal_places=st.just(digits[1]))),
)  # fmt: skip


@st.composite
def fields(draw):
    """A field of its own."""
    cls, options = draw(TYPES)
    options = {name: value for name, value in options.items() if value is not None}
    return cls(**options, null=draw(st.booleans()), unique=draw(st.integers(0, 4)) == 0, db_index=draw(st.booleans()))


@st.composite
def references(draw, names):
    """A foreign key, a one-to-one or a many-to-many field to one of the models."""
    to = f"zoo.{draw(st.sampled_from(names))}"
    kind = draw(st.sampled_from([models.ForeignKey, models.OneToOneField, models.ManyToManyField]))
    if kind is models.ManyToManyField:
        return kind(to, related_name="+", db_constraint=draw(st.booleans()))
    indexed = {"db_index": draw(st.booleans())} if kind is models.ForeignKey else {}
    return kind(to, draw(st.sampled_from([models.CASCADE, models.DO_NOTHING])), related_name="+", **indexed,
                null=draw(st.booleans()), db_constraint=draw(st.integers(0, 3)) > 0)  # fmt: skip


@st.composite
def rules(draw, label, columns, *, unique):
    """An index or a constraint of the model `label` on some of its columns, with a name of its own."""
    names = draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=3, unique=True))
    null = draw(st.none() | st.sampled_from(names))
    where = {} if null is None else {"condition": models.Q(**{f"{null}__isnull": draw(st.booleans())})}
    name = f"{label}_{draw(st.uuids())!s}"[:29]
    if unique:
        return models.UniqueConstraint(fields=names, name=name, **where)
    text = isinstance(columns[names[0]], models.CharField | models.TextField)
    if text and draw(st.booleans()):
        return models.Index(Lower(names[0]), *names[1:], name=name, **where)
    return models.Index(fields=[draw(st.sampled_from(["", "-"])) + each for each in names], name=name, **where)


@st.composite
def checks(draw, label, columns):
    """A check of the model `label`: of a number, a text, or of NULL."""
    field = draw(st.sampled_from(sorted(columns)))
    condition = models.Q(**{f"{field}__isnull": False})
    if isinstance(columns[field], models.IntegerField):
        condition = models.Q(**{f"{field}__range": (draw(st.integers(-9, 0)), draw(st.integers(1, 9)))}) | ~condition
    elif isinstance(columns[field], models.CharField | models.TextField):
        condition = ~models.Q(**{f"{field}__in": draw(st.lists(st.sampled_from(TEXTS), min_size=1, unique=True))})
    return models.CheckConstraint(condition=condition, name=f"{label}_{draw(st.uuids())!s}"[:29])


@st.composite
def zoos(draw):
    """The attributes of one to three models, by name."""
    names = [f"Zoo{letter}" for letter in "ABC"[: draw(st.integers(1, 3))]]
    tables = draw(st.permutations([*TABLES, *[None] * 6]))
    return {name: draw(animals(name, names, table)) for name, table in zip(names, tables, strict=False)}


@st.composite
def animals(draw, name, names, table):
    """The attributes of a model."""
    own = draw(st.lists(fields(), min_size=1, max_size=6))
    columns = {f"f{number}": field for number, field in enumerate(own)}
    for field, column in zip(own, draw(st.permutations([*COLUMNS, *[None] * 9])), strict=False):
        field.db_column = column
    label = name.lower()
    meta = {
        "app_label": "zoo",
        "indexes": draw(st.lists(rules(label, columns, unique=False), max_size=2)),
        "constraints": draw(st.lists(rules(label, columns, unique=True) | checks(label, columns), max_size=2)),
        **({"db_table": table} if table else {}),
    }
    others = draw(st.lists(references(names), max_size=2))
    key = draw(st.sampled_from(KEYS))
    options = {"max_length": 20} if key is models.CharField else {}
    return {
        "id": key(primary_key=True, **options),
        **columns,
        **{f"r{number}": field for number, field in enumerate(others)},
        "Meta": type("Meta", (), meta),
        "__module__": f"{APP}.models",
    }


@contextmanager
def installed(zoo):
    """Install the models for the length of the block, as classes."""
    with modify_settings(INSTALLED_APPS={"append": APP}):
        try:
            yield [type(name, (models.Model,), dict(attributes)) for name, attributes in zoo.items()]
        finally:
            apps.all_models["zoo"].clear()
            apps.clear_cache()
