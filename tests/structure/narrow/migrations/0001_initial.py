from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Maker", [
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=9)),
        ]),
        migrations.CreateModel("Thing", [
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("maker", models.ForeignKey("narrow.Maker", models.CASCADE)),
            ("helpers", models.ManyToManyField("narrow.Maker", related_name="helped")),
        ]),
    ]
