"""`demo`: the whole product at work on a small legacy database of its own making."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from compat import demo

STEPS = (
    ("Compare the old database with what the application needs", "verify_structure"),
    ("Repair: add what is missing, convert what does not fit, lose nothing", "verify_structure --fix --rewrite"),
    ("What would the copy do? A dry run", "migrate_performance --dry-run"),
    ("Copy performance_data into performance_records, and prove every value", "migrate_performance"),
    ("The bad readings were set aside, each with its values and the reason", demo.REJECTS),
    ("Mend them, as the owner of the readings would", demo.MENDING),
    ("Bring the mended readings over", "migrate_performance --retry-rejected"),
    ("Prove it once more: every column of every row", "migrate_performance --verify"),
    ("And the structure", "verify_structure"),
)
NEXT = """
That was the whole way. Next, on a database of your own (a copy of it first):
  DATABASE_URL=postgresql://user:password@host:port/name python manage.py verify_structure
Or keep this one and look around in the admin:
  python manage.py demo --keep demo.sqlite3
  export DATABASE_URL=sqlite:///$PWD/demo.sqlite3
  python manage.py createsuperuser && python manage.py runserver
  python manage.py migrate_performance --rollback      takes back exactly the rows that were copied
"""


class Command(BaseCommand):
    """Build a small legacy database in a new file, then verify, repair, copy and prove it, step by step."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--keep", metavar="FILE", help="keep the database as this new file (default: remove it)")

    def handle(self, **options: Any) -> None:
        """Run all steps, and fail when one of them does not end as it should."""
        if not options["keep"]:
            with tempfile.TemporaryDirectory(prefix="csms-demo-") as folder:
                self._run(Path(folder) / "demo.sqlite3")
            return
        file = Path(options["keep"]).absolute()
        if file.exists() or not file.parent.is_dir():
            problem = "exists already" if file.exists() else "is in a folder that does not exist"
            raise CommandError(f"{file} {problem}. --keep makes a new file and never touches another.", returncode=2)
        self._run(file)

    def _run(self, file: Path) -> None:
        self._say(
            f"A legacy database: {demo.DEVICES} devices, {demo.READINGS:,} readings of {demo.DAYS} days", str(file)
        )
        demo.build(file)
        for number, (title, step) in enumerate(STEPS, start=1):
            if isinstance(step, str):
                self._say(f"{number}. {title}", f"$ python manage.py {step}")
                self._manage(step, file)
            else:
                self._say(f"{number}. {title}", *step)
                for row in demo.execute(file, step):
                    self.stdout.write(" | ".join(map(str, row)))
        self.stdout.write(NEXT)

    def _say(self, title: str, *lines: str) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for line in lines:
            self.stdout.write(self.style.MIGRATE_LABEL(line))
        self.stdout.flush()

    def _manage(self, step: str, file: Path) -> None:
        """Run a command of the product as a process of its own; 1 is drift or rejected rows, which belong here."""
        environment = {"COMPAT_LOG_LEVEL": "WARNING", **os.environ, "DATABASE_URL": f"sqlite:///{file}"}
        environment.pop("LEGACY_DATABASE_URL", None)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *step.split()]
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  our own commands
        if code not in {0, 1}:
            raise CommandError(f"{step} ended with {code}; the demonstration stops here.")
