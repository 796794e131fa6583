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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat import demo

STEPS = (
    (gettext_lazy("Compare the old database with what the application needs"), "verify_structure"),
    (
        gettext_lazy("Repair: add what is missing, convert what does not fit, lose nothing"),
        "verify_structure --fix --rewrite",
    ),
    (gettext_lazy("What would the copy do? A dry run"), "migrate_performance --dry-run"),
    (gettext_lazy("Copy performance_data into performance_records, and prove every value"), "migrate_performance"),
    (gettext_lazy("The bad readings were set aside, each with its values and the reason"), demo.REJECTS),
    (gettext_lazy("Mend them, as the owner of the readings would"), demo.MENDING),
    (gettext_lazy("Bring the mended readings over"), "migrate_performance --retry-rejected"),
    (gettext_lazy("Prove it once more: every column of every row"), "migrate_performance --verify"),
    (gettext_lazy("And the structure"), "verify_structure"),
)
NEXT = gettext_lazy("""
That was the whole way. Next, on a database of your own (a copy of it first):
  DATABASE_URL=postgresql://user:password@host:port/name python manage.py verify_structure
Or keep this one and look around in the admin:
  python manage.py demo --keep demo.sqlite3
  export DATABASE_URL=sqlite:///$PWD/demo.sqlite3
  python manage.py createsuperuser && python manage.py runserver
  python manage.py migrate_performance --rollback      takes back exactly the rows that were copied
""")


class Command(BaseCommand):
    """Build a small legacy database in a new file, then verify, repair, copy and prove it, step by step."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.description = _(
            "Build a small legacy database in a new file, then verify, repair, copy and prove it, step by step."
        )
        text = _("keep the database as this new file (default: remove it)")
        parser.add_argument("--keep", metavar="FILE", help=text)

    def handle(self, **options: Any) -> None:
        """Run all steps, and fail when one of them does not end as it should."""
        if not options["keep"]:
            with tempfile.TemporaryDirectory(prefix="csms-demo-") as folder:
                self._run(Path(folder) / "demo.sqlite3")
            return
        file = Path(options["keep"]).absolute()
        if file.exists() or not file.parent.is_dir():
            exists, lost = _("%(file)s exists already."), _("%(file)s is in a folder that does not exist.")
            problem = (exists if file.exists() else lost) % {"file": file}
            remedy = _("--keep makes a new file and never touches another.")
            raise CommandError(f"{problem} {remedy}", returncode=2)
        self._run(file)

    def _run(self, file: Path) -> None:
        text = _("A legacy database: %(devices)d devices, %(readings)s readings of %(days)d days")
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
        """Run a command of the product as a process of its own; 1 is drift or rejected rows, which belong here."""
        environment = {"COMPAT_LOG_LEVEL": "WARNING", **os.environ, "DATABASE_URL": f"sqlite:///{file}"}
        environment.pop("LEGACY_DATABASE_URL", None)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *step.split()]
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  our own commands
        if code not in {0, 1}:
            text = _("%(step)s ended with %(code)d; the demonstration stops here.")
            raise CommandError(text % {"step": step, "code": code})
