"""Measure verification of 100, 300 and 1000 models against `sqldiff -a` of django-extensions and `check`.

    pip install django-extensions
    python -m benchmarks.structure [--models 100 300 1000] [--postgres URL] [--limit SECONDS]

Each command runs as its own process, on a new SQLite file and, with the URL of an empty database, on PostgreSQL.
Compare the ratios of one run, not the seconds: `ratio` is that of the whole commands, `of work` that of the time
without `check`. `--limit` stops a command that takes longer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FIELDS = """
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=100, db_index=True)),
            ("code", models.SlugField(unique=True)),
            ("amount", models.DecimalField(max_digits=12, decimal_places=2, null=True)),
            ("count", models.PositiveIntegerField(default=0)),
            ("when", models.DateTimeField(auto_now_add=True)),
            ("text", models.TextField(blank=True)),
            ("flag", models.BooleanField(default=False)),
            ("data", models.JSONField(default=dict)),
            ("owner", models.ForeignKey("auth.User", models.CASCADE)),
"""
SETTINGS = """
from csms_project.settings import *
INSTALLED_APPS = INSTALLED_APPS + ["django_extensions", "many"]
LOGGING = {"version": 1}
"""
EMPTY = """
from django.db import connection
connection.cursor().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
"""


def project(folder, number):
    """Write an app with this number of models, and its migration."""
    app = folder / "many"
    (app / "migrations").mkdir(parents=True)
    (app / "__init__.py").touch()
    (app / "migrations" / "__init__.py").touch()
    (folder / "bench_settings.py").write_text(SETTINGS)
    body = "".join(
        f"    {line.strip()[2:].replace(chr(34) + ', ', ' = ', 1).removesuffix('),')}\n"
        for line in FIELDS.strip().splitlines()
    ).replace('models.ForeignKey("auth.User", models.CASCADE)', 'models.ForeignKey("auth.User", models.CASCADE)')
    models = "".join(f"class Model{n}(models.Model):\n{body}\n" for n in range(number))
    models = models.replace('"auth.User", models.CASCADE', '"auth.User", models.CASCADE, related_name="+"')
    (app / "models.py").write_text(f"from django.db import models\n\n\n{models}")
    fields = FIELDS.replace('"auth.User", models.CASCADE', '"auth.User", models.CASCADE, related_name="+"')
    operations = "".join(f'        migrations.CreateModel("Model{n}", [{fields}        ]),\n' for n in range(number))
    (app / "migrations" / "0001_initial.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("auth", "__first__")]\n    operations = [\n{operations}    ]\n'
    )


def run(folder, url, *arguments, limit):
    """Return the seconds of a command, None if it takes longer than the limit, and its exit code."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bench_settings",
                   "PYTHONPATH": f"{folder}:{ROOT}"}  # fmt: skip
    started = time.perf_counter()
    try:
        done = subprocess.run([sys.executable, ROOT / "manage.py", *arguments], cwd=ROOT, env=environment,
                              capture_output=True, text=True, timeout=limit, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, None
    return time.perf_counter() - started, done.returncode


def shown(seconds):
    """Return the seconds for the table."""
    return "over limit" if seconds is None else f"{seconds:.2f} s"


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--postgres", help="URL of an empty database, whose schema public is dropped")
    parser.add_argument("--limit", type=float, default=300)
    options = parser.parse_args()
    columns = (
        "database",
        "models",
        "check",
        "verify",
        "without check",
        "sqldiff -a",
        "ratio",
        "of work",
    )
    print(f"| {' | '.join(columns)} |\n{'| --- ' * len(columns)}|")
    for number in options.models:
        for vendor in ("sqlite", *(["postgresql"] if options.postgres else [])):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                project(folder, number)
                url = options.postgres if vendor == "postgresql" else f"sqlite:///{folder / 'many.sqlite3'}"
                if vendor == "postgresql":
                    run(folder, url, "shell", "-c", EMPTY, limit=600)
                _, code = run(folder, url, "migrate", "--verbosity=0", "--skip-checks", limit=1800)
                assert code == 0, "the models could not be migrated"
                check, _ = run(folder, url, "check", limit=options.limit)
                verify, code = run(folder, url, "verify_structure", limit=options.limit)
                assert code == 0, "a clean database showed a difference"
                sqldiff, _ = run(folder, url, "sqldiff", "-a", limit=options.limit)
                whole = f"{sqldiff / verify:.1f}" if sqldiff else f"over {options.limit / verify:.1f}"
                work = f"{(sqldiff - check) / (verify - check):.1f}" if sqldiff else ""
                cells = (vendor, str(number), *map(shown, (check, verify, verify - check, sqldiff)), whole, work)
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
