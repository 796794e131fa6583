from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Author", [
            ("id", models.AutoField(primary_key=True)),
            ("name", models.CharField(max_length=40, db_index=True)),
            ("status", models.IntegerField(default=0)),
        ]),
        migrations.CreateModel("Book", [
            ("id", models.AutoField(primary_key=True)),
            ("title", models.CharField(max_length=20, unique=True)),
            ("isbn", models.TextField()),
            ("pages", models.IntegerField()),
            ("author", models.ForeignKey("history.Author", models.CASCADE, null=True)),
            ("editors", models.ManyToManyField("history.Author", related_name="edited")),
        ], options={"unique_together": {("author", "title")}}),
    ]
