from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("history", "0002_changes")]
    operations = [
        migrations.AlterField("Writer", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterField("Book", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterField("Writer", "name", models.CharField(max_length=80)),
        migrations.RemoveField("Writer", "status"),
        migrations.AddField("Writer", "status", models.CharField(max_length=8, db_default="new")),
        migrations.AlterUniqueTogether("Book", set()),
        migrations.AddConstraint("Book", models.UniqueConstraint(fields=["writer", "heading"], name="book_once")),
        migrations.AddConstraint("Book", models.CheckConstraint(condition=models.Q(pages__lt=9000), name="book_pages")),
    ]
