"""Models whose migrations renamed, retyped and moved about."""

from django.db import models


class Book(models.Model):
    id = models.BigAutoField(primary_key=True)
    heading = models.TextField(db_index=True)
    isbn = models.CharField(max_length=40, unique=True)
    pages = models.PositiveIntegerField(null=True)
    writer = models.ForeignKey("Writer", models.CASCADE, related_name="books")
    editors = models.ManyToManyField("Writer", related_name="edited")

    class Meta:
        indexes = [models.Index(fields=["heading", "pages"], name="book_heading_pages")]
        constraints = [
            models.UniqueConstraint(fields=["writer", "heading"], name="book_once"),
            models.CheckConstraint(condition=models.Q(pages__lt=9000), name="book_pages"),
        ]


class Writer(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=8, db_default="new")
