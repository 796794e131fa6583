"""`demo`: run all commands on a small legacy database that it creates."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat import demo

STEPS = (
    (gettext_lazy("Compare the legacy database with the models"), "verify_structure"),
    (
        gettext_lazy("Repair: add what is missing and convert types, without loss of data"),
        "verify_structure --fix --rewrite",
    ),
    (gettext_lazy("Dry run: what the copy would do"), "migrate_performance --dry-run"),
    (gettext_lazy("Copy performance_data into performance_records and verify every value"), "migrate_performance"),
    (gettext_lazy("The rejected readings, each with the reason"), demo.REJECTS),
    (gettext_lazy("Correct them in the source"), demo.CORRECTIONS),
    (gettext_lazy("Retry the rejected readings"), "migrate_performance --retry-rejected"),
    (gettext_lazy("Verify again: every column of every row"), "migrate_performance --verify"),
    (gettext_lazy("Verify the structure"), "verify_structure"),
)
NEXT = gettext_lazy("""
That is the whole migration. Next, try it on a copy of your own database:
  DATABASE_URL=postgresql://user:password@host:port/name python manage.py verify_structure
Or keep this database and open the admin:
  python manage.py demo --keep demo.sqlite3
  export DATABASE_URL=sqlite:///$PWD/demo.sqlite3
  python manage.py createsuperuser && python manage.py runserver
  python manage.py migrate_performance --rollback      delete exactly the copied rows
""")


class Command(BaseCommand):
    """Create a small legacy database in a new file, then repair it, copy its rows and verify them, step by step."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.description = _(
            "Create a small legacy database in a new file, then repair it, copy its rows and verify them, step by step."
        )
        text = _("keep the database as this new file (default: delete it)")
        parser.add_argument("--keep", metavar="FILE", help=text)

    def handle(self, **options: Any) -> None:
        """Run all steps. Fail when one of them exits with 2 or more."""
        if not options["keep"]:
            with tempfile.TemporaryDirectory(prefix="csms-demo-") as folder:
                self._run(Path(folder) / "demo.sqlite3")
            return
        file = Path(options["keep"]).absolute()
        if file.exists() or not file.parent.is_dir():
            exists, lost = _("%(file)s already exists."), _("The folder of %(file)s does not exist.")
            problem = (exists if file.exists() else lost) % {"file": file}
            remedy = _("--keep creates a new file and changes no existing file.")
            raise CommandError(f"{problem} {remedy}", returncode=2)
        self._run(file)

    def _run(self, file: Path) -> None:
        text = _("A legacy database: %(devices)d devices, %(readings)s readings in %(days)d days")
        facts = {"devices": demo.DEVICES, "readings": f"{demo.READINGS:,}", "days": demo.DAYS}
        self._say(text % facts, str(file))
        demo.build(file)
        for number, (title, step) in enumerate(STEPS, start=1):
            if isinstance(step, str):
                self._say(f"{number}. {title}", f"$ python manage.py {step}")
                self._manage(step, file)
            else:
                self._say(f"{number}. {title}", *step)
                for row in demo.execute(file, step):
                    self.stdout.write(" | ".join(map(str, row)))
        self.stdout.write(str(NEXT))

    def _say(self, title: str, *lines: str) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for line in lines:
            self.stdout.write(self.style.MIGRATE_LABEL(line))
        self.stdout.flush()

    def _manage(self, step: str, file: Path) -> None:
        """Run a command as its own process. Exit code 1, drift or rejected rows, is expected here."""
        environment = {"COMPAT_LOG_LEVEL": "WARNING", **os.environ, "DATABASE_URL": f"sqlite:///{file}"}
        environment.pop("LEGACY_DATABASE_URL", None)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *step.split()]
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  commands of this project
        if code not in {0, 1}:
            text = _("%(step)s exited with %(code)d. The demonstration stops here.")
            raise CommandError(text % {"step": step, "code": code})
