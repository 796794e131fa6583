"""`run_compatibility_fixes`: the work of a starting server as a command."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from compat import services
from compat.copying.report import summary
from compat.copying.results import BLOCKED
from compat.database.stop import Stop, on_signals
from compat.structure.render import as_text


class Command(BaseCommand):
    """Verify the database, create what is missing, and copy the legacy readings if there are any."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.description = _(
            "Verify the database, create what is missing, and copy the legacy readings if there are any."
        )
        parser.epilog = _("Exit code: 0 done, 1 needs attention, 2 could not verify or copy, 3 stopped early.")
        parser.add_argument("--database", default="default", metavar="ALIAS", help=_("the database (default: default)"))
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        """Run the fixes, print the result and exit with its code."""
        stop = Stop()
        with on_signals(stop):
            fixes = services.run_compatibility_fixes(options["database"], stop=stop)
        if options["format"] == "json":
            self.stdout.write(json.dumps(fixes.as_dict(), default=str))
        else:
            self._print(fixes)
        if fixes.exit_code:
            sys.exit(fixes.exit_code)

    def _print(self, fixes: services.Fixes) -> None:
        if fixes.structure.status != "unverifiable":
            self.stdout.write(as_text(fixes.structure, self.style))
        if fixes.copy and fixes.copy.status != BLOCKED:
            self.stdout.write(summary(fixes.copy, self.style))
        if fixes.error and not (fixes.copy and fixes.copy.error == fixes.error and fixes.copy.status != BLOCKED):
            self.stderr.write(fixes.error)
