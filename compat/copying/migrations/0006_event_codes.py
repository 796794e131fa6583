from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compat_copying", "0005_reject_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="copyevent",
            name="code",
            field=models.CharField(db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="copyevent",
            name="facts",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="copyrun",
            name="error_message",
            field=models.JSONField(help_text="why the run stopped or what is wrong, as code and facts", null=True),
        ),
        migrations.AddField(
            model_name="copyrun",
            name="phase",
            field=models.CharField(
                blank=True,
                choices=[
                    ("preflight", "checking"),
                    ("reserve", "reserving keys"),
                    ("retry_rejected", "retrying rejected rows"),
                    ("defer_indexes", "deferring indexes"),
                    ("copy", "copying"),
                    ("wait_for_writers", "waiting for open transactions"),
                    ("analyze", "refreshing statistics"),
                    ("restore_indexes", "building indexes"),
                    ("verify", "verifying"),
                    ("sweep", "copying late rows"),
                    ("roll_back", "rolling back"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="copyevent",
            name="text",
            field=models.TextField(blank=True, help_text="what an older release wrote instead of code and facts"),
        ),
        migrations.AlterField(
            model_name="copyrun",
            name="error",
            field=models.TextField(blank=True, help_text="what an older release wrote instead of the error message"),
        ),
        migrations.AlterField(
            model_name="copyrun",
            name="samples",
            field=models.JSONField(default=list, help_text="seconds of work with the rows and batches done by then"),
        ),
        migrations.AlterField(
            model_name="copyrun",
            name="timestamp",
            field=models.DateTimeField(help_text="the value of RunTimestamp() in the rows of this run"),
        ),
    ]
