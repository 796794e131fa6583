from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compat_copying", "0003_languages")]

    operations = [
        migrations.RenameField(model_name="copyrun", old_name="set_aside", new_name="deferred_indexes"),
        migrations.AlterField(
            model_name="copyrun",
            name="deferred_indexes",
            field=models.JSONField(default=list, help_text="SQL that restores the indexes that the run deferred"),
        ),
    ]
