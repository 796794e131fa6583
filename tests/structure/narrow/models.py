"""Models of an app whose migrations were written under another DEFAULT_AUTO_FIELD."""

from django.db import models


class Maker(models.Model):
    name = models.CharField(max_length=9)


class Thing(models.Model):
    maker = models.ForeignKey(Maker, models.CASCADE)
    helpers = models.ManyToManyField(Maker, related_name="helped")
