"""Models with everything that Django can store on every database."""

import uuid

from django.contrib.auth.models import User
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, Now, Pi, Upper


class Ticks(models.Field):
    """A custom field with a type of its own."""

    def db_type(self, connection):
        return "bigint"


class EveryField(models.Model):
    auto_small = models.SmallAutoField(primary_key=True)
    big = models.BigIntegerField(db_default=2**40)
    binary = models.BinaryField(max_length=20, null=True)
    boolean = models.BooleanField(default=False)
    boolean_null = models.BooleanField(null=True, db_default=Value(True))  # noqa: FBT003  a database default
    char = models.CharField(max_length=20, db_index=True)
    char_quoted = models.CharField(max_length=40, db_default='it\'s 100% "so"')
    slug = models.SlugField(unique=True, max_length=130)
    date = models.DateField(unique_for_date="moment")
    moment = models.DateTimeField(db_default=Now())
    time = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    decimal = models.DecimalField(max_digits=12, decimal_places=3, db_default="1.5")
    email = models.EmailField()
    file = models.FileField(upload_to="f")
    path = models.FilePathField(path="/")
    image_url = models.URLField(max_length=333)
    real = models.FloatField(db_default=Pi())
    tiny = models.FloatField(db_default=1e-07)
    ip = models.GenericIPAddressField(null=True)
    integer = models.IntegerField(validators=[MinValueValidator(3)])
    small = models.SmallIntegerField(db_default=-1)
    positive = models.PositiveIntegerField()
    positive_big = models.PositiveBigIntegerField()
    positive_small = models.PositiveSmallIntegerField(db_default=7)
    json = models.JSONField(default=dict)
    json_default = models.JSONField(db_default=Value({"a": [1]}, models.JSONField()))
    text = models.TextField(db_index=True)
    text_unique = models.TextField(unique=True, null=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    ticks = Ticks()
    doubled = models.GeneratedField(expression=F("integer") * 2, output_field=models.IntegerField(), db_persist=True)
    upper = models.GeneratedField(
        expression=Upper(Coalesce("char", Value("x"))), output_field=models.CharField(max_length=30), db_persist=True
    )


class Parent(models.Model):
    name = models.CharField(max_length=50, db_column="Name With Space")
    code = models.CharField(max_length=10, unique=True)

    class Meta:
        db_table = "MixedCase"


class Child(Parent):
    toy = models.CharField(max_length=30)
    friends = models.ManyToManyField("self", symmetrical=True)


class ParentProxy(Parent):
    class Meta:
        proxy = True


class Order(models.Model):
    """A reserved word for a table, and for a column."""

    group = models.CharField(max_length=9)
    by_code = models.ForeignKey(Parent, models.CASCADE, to_field="code", null=True)
    loose = models.ForeignKey(Parent, models.DO_NOTHING, related_name="+", db_constraint=False, null=True)
    unindexed = models.ForeignKey(Parent, models.CASCADE, related_name="+", db_index=False, null=True)
    one = models.OneToOneField("self", models.SET_NULL, null=True)
    user = models.ForeignKey(User, models.CASCADE, null=True)
    parents = models.ManyToManyField(Parent, through="Line", related_name="orders")
    tags = models.ManyToManyField("Tag", db_table="order_to_tag")

    class Meta:
        db_table = "order"
        order_with_respect_to = "by_code"


class Line(models.Model):
    order = models.ForeignKey(Order, models.CASCADE)
    parent = models.ForeignKey(Parent, models.CASCADE)
    amount = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    kind = models.CharField(max_length=4, choices=[("a", "A"), ("b", "B")], null=True)

    class Meta:
        unique_together = [("order", "parent")]
        indexes = [
            models.Index(fields=["amount", "-price"], name="line_amount_price"),
            models.Index(fields=["order"], name="line_priced", condition=Q(price__isnull=False)),
            models.Index(Lower("kind").desc(), "amount", name="line_kind_lower"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=1000), name="line_amount_range"),
            models.CheckConstraint(condition=Q(kind__in=["a", "b"]) | Q(price__gte="1.5"), name="line_kind_known"),
            models.CheckConstraint(condition=~Q(kind="100% it's"), name="line_kind_quoted"),
            models.UniqueConstraint(fields=["kind", "amount"], name="line_kind_amount"),
            models.UniqueConstraint(fields=["parent"], condition=Q(kind="a"), name="line_one_a"),
            models.UniqueConstraint(Lower("kind"), F("price").desc(), name="line_lower_price"),
        ]


class Tag(models.Model):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    a_name_that_is_so_long_that_every_database_has_to_cut_it_somewhere_x = models.IntegerField(db_index=True)
    a_name_that_is_so_long_that_every_database_has_to_cut_it_somewhere_y = models.ForeignKey(
        Parent, models.CASCADE, db_column="another_name_that_is_so_long_that_it_must_be_cut_a"
    )

    class Meta:
        db_table = "a_table_whose_name_is_about_as_long_as_postgresql_allows_it_x"


class Pair(models.Model):
    pk = models.CompositePrimaryKey("left", "right")
    left = models.IntegerField()
    right = models.CharField(max_length=8)
    note = models.TextField(db_comment="what it is for", null=True)

    class Meta:
        db_table_comment = "two halves"


class Foreign(models.Model):
    value = models.IntegerField()
    absent = models.IntegerField()

    class Meta:
        managed = False
        db_table = "somebody_elses"
