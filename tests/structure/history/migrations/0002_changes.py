from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("history", "0001_initial")]
    operations = [
        migrations.AddIndex("Book", models.Index(fields=["title", "pages"], name="book_title_pages")),
        migrations.RenameModel("Author", "Writer"),
        migrations.RenameField("Book", "author", "writer"),
        migrations.AlterField("Book", "writer", models.ForeignKey("history.Writer", models.CASCADE, related_name="books")),
        migrations.RemoveIndex("Book", "book_title_pages"),
        migrations.RenameField("Book", "title", "heading"),
        migrations.AddIndex("Book", models.Index(fields=["heading", "pages"], name="book_title_pages_2")),
        migrations.AlterField("Book", "heading", models.CharField(max_length=60, db_index=True)),
        migrations.AlterField("Book", "heading", models.TextField(db_index=True)),
        migrations.AlterField("Book", "isbn", models.CharField(max_length=40, default="")),
        migrations.AlterField("Book", "isbn", models.CharField(max_length=40, unique=True)),
        migrations.AlterField("Book", "pages", models.PositiveIntegerField(null=True)),
        migrations.RenameIndex("Book", new_name="book_heading_pages", old_name="book_title_pages_2"),
    ]
