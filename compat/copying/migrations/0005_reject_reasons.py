"""Reasons of rejects as codes and facts; keys of any type in runs, ranges and rejects."""

import django.core.serializers.json
from django.db import migrations, models

ROWS_PER_UPDATE = 500


def convert(apps, schema_editor):
    """Store keys as JSON, with an exclusive lower bound, and give each reject its key as text and its reason as facts.

    Each row is updated once: a second update in a transaction leaves PostgreSQL with a pending check of its foreign
    key, and then the table cannot be altered.
    """
    using = schema_editor.connection.alias
    for name in ("CopyRun", "CopyRange"):
        model = apps.get_model("compat_copying", name)
        for stored in model.objects.using(using).iterator():
            values = {"after_key": stored.first_key - 1, "upto_key": stored.last_key}
            if name == "CopyRange":
                values["done_key"] = stored.next_key - 1
            model.objects.using(using).filter(pk=stored.pk).update(**values)
    rejects, batch = apps.get_model("compat_copying", "RejectedRow").objects.using(using), []
    for row in rejects.only("source_pk", "reason").iterator(ROWS_PER_UPDATE):
        row.source_key = str(row.source_pk)
        row.reasons = [{"code": "refused", "facts": {"error": row.reason, "summary": row.reason}}]
        batch.append(row)
        if len(batch) == ROWS_PER_UPDATE:
            rejects.bulk_update(batch, ["source_key", "reasons"])
            batch = []
    rejects.bulk_update(batch, ["source_key", "reasons"])


def convert_back(apps, schema_editor):
    """Store integer keys as before."""
    using = schema_editor.connection.alias
    for name in ("CopyRun", "CopyRange"):
        model = apps.get_model("compat_copying", name)
        for stored in model.objects.using(using).iterator():
            values = {"first_key": stored.after_key + 1, "last_key": stored.upto_key}
            if name == "CopyRange":
                values["next_key"] = stored.done_key + 1
            model.objects.using(using).filter(pk=stored.pk).update(**values)


class Migration(migrations.Migration):
    dependencies = [("compat_copying", "0004_deferred_indexes")]

    operations = [
        *(
            migrations.AddField(model, field, models.JSONField(null=True))
            for model, fields in (("copyrun", ("after_key", "upto_key")), ("copyrange", ("after_key", "upto_key", "done_key")))
            for field in fields
        ),
        migrations.AddField("rejectedrow", "source_key", models.CharField("source key", max_length=255, default="")),
        migrations.AddField(
            "rejectedrow",
            "reasons",
            models.JSONField("reasons", default=list, encoder=django.core.serializers.json.DjangoJSONEncoder),
        ),
        *(
            migrations.AlterField(model, field, models.BigIntegerField(null=True))
            for model, fields in (("copyrun", ("first_key", "last_key")), ("copyrange", ("first_key", "last_key", "next_key")))
            for field in fields
        ),
        migrations.RunPython(convert, convert_back, elidable=True),
        *(
            migrations.RemoveField(model, field)
            for model, fields in (("copyrun", ("first_key", "last_key")), ("copyrange", ("first_key", "last_key", "next_key")))
            for field in fields
        ),
        *(migrations.AlterField(model, "upto_key", models.JSONField()) for model in ("copyrun", "copyrange")),
        migrations.AlterField("rejectedrow", "source_pk", models.BigIntegerField("source key", null=True)),
        migrations.AlterField("rejectedrow", "source_key", models.CharField("source key", max_length=255)),
        migrations.RemoveConstraint("rejectedrow", "compat_one_reject_per_row"),
        migrations.AddConstraint(
            "rejectedrow",
            models.UniqueConstraint(fields=["run", "source_key"], name="compat_one_reject_per_row"),
        ),
    ]
