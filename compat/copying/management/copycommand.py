"""The base class of commands that run a copy; a subclass only names the declaration."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from django.utils.translation import gettext as _

from compat.copying import operations
from compat.copying.declaration import Copy
from compat.copying.job import Job, NullProgress
from compat.copying.progress import Bar, logging_above_bar
from compat.copying.report import run_lines, summary
from compat.copying.results import BLOCKED, Result
from compat.copying.runner.throttle import Limits
from compat.copying.runs import store
from compat.database.stop import Stop, on_signals

OPERATIONS = {
    "dry_run": operations.dry_run,
    "verify": operations.verify,
    "rollback": operations.roll_back,
    "retry_rejected": operations.retry_rejected,
    "status": operations.status,
}


def positive_integer(text: str) -> int:
    """Parse an option that is a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(_("%(text)r is not a whole number of at least 1") % {"text": text})
    return int(text)


def seconds(text: str) -> float:
    """Parse an option that is a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(_("%(text)r is not a positive number of seconds") % {"text": text})
    return value


def fraction(text: str) -> float:
    """Parse an option that is a fraction from 0 to 0.99."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 0.99:
        raise ArgumentTypeError(_("%(text)r is not a fraction from 0 to 0.99") % {"text": text})
    return value


class CopyCommand(BaseCommand):
    """Copies, verifies and rolls back the rows of `copy`."""

    copy: Copy
    requires_system_checks: list[str] = []
    suppressed_base_arguments = {"--traceback", "--pythonpath", "--settings"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of every copy."""
        parser.add_argument("--database", default="default", metavar="ALIAS", help=_("target database"))
        parser.add_argument("--source", metavar="ALIAS", help=_("source database (default: the target)"))
        number: dict[str, Any] = {"type": positive_integer, "metavar": "N"}
        parser.add_argument("--batch-size", **number, help=_("fixed number of rows (default: adapts)"))
        parser.add_argument("--workers", **number, default=1, help=_("parallel connections"))
        parser.add_argument(
            "--defer-indexes", choices=["auto", "always", "never"], default="auto",
            help=_(
                "drop secondary indexes and foreign keys of the target while copying, and build them afterwards "
                "(auto: only into an empty target, for a large copy)"
            ),
        )  # fmt: skip
        time: dict[str, Any] = {"type": seconds, "metavar": "S"}
        parser.add_argument("--max-seconds", **time, help=_("stop at a batch border after S seconds"))
        parser.add_argument(
            "--pause", type=fraction, default=0.0, metavar="P", help=_("rest for this fraction of the time")
        )
        parser.add_argument("--max-lag", **time, default=10.0, help=_("wait while a standby lags by more seconds"))
        parser.add_argument("--max-lock-waits", **number, default=20, help=_("wait while more sessions wait for locks"))
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--no-progress", action="store_true", help=_("no progress bar"))
        modes = parser.add_mutually_exclusive_group()
        for option, text in (
            ("--dry-run", _("what would be copied and rejected; changes nothing")),
            ("--verify", _("only compare source and target")),
            ("--rollback", _("delete exactly the rows that were copied")),
            ("--retry-rejected", _("retry the rejected rows")),
            ("--status", _("the runs so far")),
        ):
            modes.add_argument(option, action="store_true", help=text)

    def handle(self, **options: Any) -> None:
        """Run the operation that the options choose, print its result and exit with its code."""
        operate = next((OPERATIONS[name] for name in OPERATIONS if options[name]), operations.copy_rows)
        job = self._job(options)
        before = {connection.alias for connection in connections.all(initialized_only=True) if connection.connection}
        with ExitStack() as stack:
            stack.enter_context(on_signals(job.stop))
            if isinstance(job.progress, Bar):
                stack.enter_context(logging_above_bar())
            result = operate(job)
        self._print(job, result, options)
        _close_connections(except_for=before)
        if result.exit_code and not (options["status"] and result.status != BLOCKED):
            sys.exit(result.exit_code)

    def _job(self, options: dict[str, Any]) -> Job:
        visible = sys.stderr.isatty() and not options["no_progress"]
        return Job(
            self.copy,
            using=options["database"],
            source=options["source"] or options["database"],
            batch_size=options["batch_size"],
            workers=options["workers"],
            defer_indexes=options["defer_indexes"],
            limits=Limits(options["pause"], options["max_lag"], options["max_lock_waits"]),
            stop=Stop(options["max_seconds"]),
            progress=Bar() if visible else NullProgress(),
        )

    def _print(self, job: Job, result: Result, options: dict[str, Any]) -> None:
        if result.status == BLOCKED:
            self.stderr.write(f"{result.error}")
        if options["format"] == "json":
            self.stdout.write(json.dumps(result.as_dict()))
        elif result.status != BLOCKED:
            self.stdout.write(self._text(job, result, runs=options["status"]))

    def _text(self, job: Job, result: Result, *, runs: bool) -> str:
        if runs:
            return "\n".join(run_lines(store.runs_of(job.copy, job.using), job.using))
        return summary(result, self.style)


def _close_connections(except_for: set[str]) -> None:
    """Close the connections of this thread, except those that the caller had opened."""
    for connection in connections.all(initialized_only=True):
        if connection.alias not in except_for:
            connection.close()
