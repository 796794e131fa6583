"""Compare the database with the models, and repair it."""

import gc
import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.translation import gettext as _

from compat.structure.errors import StructureError
from compat.structure.execution import repair
from compat.structure.findings import Severity
from compat.structure.render import as_json, as_text
from compat.structure.report import Report
from compat.structure.verification import plan, verify


class Command(BaseCommand):
    """Compare the database with the models of the installed apps; changes nothing without --fix."""

    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.description = _("Compare the database with the models, and repair it.")
        parser.epilog = _(
            "Exit code: 0 nothing at or above the fail level, 1 drift, 2 the database could not be verified."
        )
        add = parser.add_argument
        add("labels", nargs="*", metavar="APP_LABEL[.Model]", help=_("only these apps or models"))
        add("--database", default="default", metavar="ALIAS", help=_("the database (default: default)"))
        add("--format", choices=("text", "json"), default="text")
        add("--fix", action="store_true", help=_("apply the repairs that add and lose nothing"))
        add("--rewrite", action="store_true", help=_("with --fix: also repairs that rewrite a table"))
        add("--dry-run", action="store_true", help=_("with --fix: print the SQL, change nothing"))
        add("--no-ignore", action="store_true", help=_("also count what the settings accept"))
        add("--fail-on", choices=("error", "warning"), default="error")

    def handle(self, *labels: str, **options: Any) -> None:
        """Verify or repair, print the report, and exit with its code."""
        gc.freeze()  # collecting garbage among all that Django has loaded takes a quarter of the time
        if not options["fix"] and (options["rewrite"] or options["dry_run"]):
            raise CommandError(_("--rewrite and --dry-run need --fix: add --fix."), returncode=2)
        try:
            result = _run(tuple(options["labels"]), options)
        except StructureError as reason:
            if options["format"] == "json":
                vendor = _vendor(options["database"])
                self.stdout.write(as_json(Report("unverifiable", options["database"], vendor, error=str(reason))))
            raise CommandError(str(reason), returncode=2) from reason
        self._print(result, options)
        if result.reaches(Severity(options["fail_on"])):
            sys.exit(1)
        if result.status == "unverifiable":
            sys.exit(2)

    def _print(self, result: Report, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(as_json(result))
            return
        for sql in result.statements if options["dry_run"] else ():
            self.stdout.write(sql)
        self.stdout.write(as_text(result, self.style, verbosity=options["verbosity"]))


def _run(labels: tuple[str, ...], options: dict[str, Any]) -> Report:
    using, rewrite = options["database"], options["rewrite"]
    if not options["fix"]:
        return verify(using, labels, ignore=not options["no_ignore"])
    if not options["dry_run"]:
        return repair(using, labels, rewrite=rewrite)
    planned = plan(using, labels, rewrite)
    return replace(planned.report, statements=planned.statements)


def _vendor(alias: str) -> str:
    return connections[alias].vendor if alias in connections else ""
