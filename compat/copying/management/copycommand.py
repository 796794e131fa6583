"""The base of commands that run a copy; a copy's own command names its declaration and nothing else."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from compat.copying import ledger, operations
from compat.copying.declaration import Copy
from compat.copying.job import Job, Silence
from compat.copying.progress import Bar, above_the_bar
from compat.copying.render import run_lines, summary
from compat.copying.results import BLOCKED, Result
from compat.copying.stopping import Stop, on_signals
from compat.copying.throttling import Limits

OPERATIONS = {
    "dry_run": operations.dry_run,
    "verify": operations.verify,
    "rollback": operations.roll_back,
    "retry_rejected": operations.retry_rejected,
    "status": operations.status,
}


def positive_integer(text: str) -> int:
    """Read an option's value that must be 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def seconds(text: str) -> float:
    """Read an option's value that is a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def share(text: str) -> float:
    """Read an option's value that is a share of the time, from 0 up to 0.99."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 0.99:
        raise ArgumentTypeError(f"{text!r} is not a share from 0 to 0.99")
    return value


class CopyCommand(BaseCommand):
    """Copies, verifies and takes back the rows of `copy`."""

    copy: Copy
    requires_system_checks: list[str] = []
    suppressed_base_arguments = {"--traceback", "--pythonpath", "--settings"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of every copy."""
        parser.add_argument("--database", default="default", metavar="ALIAS", help="target database")
        parser.add_argument("--source", metavar="ALIAS", help="source database (default: the target)")
        parser.add_argument("--batch-size", type=positive_integer, metavar="N", help="fixed size (default: adapts)")
        parser.add_argument("--workers", type=positive_integer, default=1, metavar="N", help="parallel connections")
        parser.add_argument(
            "--defer-indexes", choices=["auto", "always", "never"], default="auto",
            help="set secondary indexes and foreign keys of the target aside and build them afterwards "
            "(auto: only into an empty target, for a large copy)",
        )  # fmt: skip
        parser.add_argument("--max-seconds", type=seconds, metavar="S", help="stop at a batch border after S seconds")
        parser.add_argument("--pause", type=share, default=0.0, metavar="P", help="rest for this share of the time")
        parser.add_argument("--max-lag", type=seconds, default=10.0, metavar="S", help="wait while a standby lags more")
        parser.add_argument(
            "--max-lock-waits",
            type=positive_integer,
            default=20,
            metavar="N",
            help="wait while more sessions wait for locks",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--no-progress", action="store_true", help="no progress bar")
        modes = parser.add_mutually_exclusive_group()
        modes.add_argument("--dry-run", action="store_true", help="what would be copied and rejected; changes nothing")
        modes.add_argument("--verify", action="store_true", help="only compare source and target")
        modes.add_argument("--rollback", action="store_true", help="take back exactly the rows that were copied")
        modes.add_argument("--retry-rejected", action="store_true", help="try the rejected rows again")
        modes.add_argument("--status", action="store_true", help="the runs so far")

    def handle(self, **options: Any) -> None:
        """Run the operation that the options ask for, print its result and exit with its code."""
        operate = next((OPERATIONS[name] for name in OPERATIONS if options[name]), operations.copy_rows)
        job = self._job(options)
        with ExitStack() as stack:
            stack.enter_context(on_signals(job.stop))
            if isinstance(job.progress, Bar):
                stack.enter_context(above_the_bar())
            result = operate(job)
        self._print(job, result, options)
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
            progress=Bar() if visible else Silence(),
        )

    def _print(self, job: Job, result: Result, options: dict[str, Any]) -> None:
        if result.status == BLOCKED:
            self.stderr.write(f"{result.error}")
        if options["format"] == "json":
            self.stdout.write(json.dumps(result.as_dict()))
        elif result.status != BLOCKED:
            self.stdout.write(self._text(job, result, runs=options["status"]))
        connections.close_all()

    def _text(self, job: Job, result: Result, *, runs: bool) -> str:
        if runs:
            return "\n".join(run_lines(ledger.runs_of(job.copy, job.using), job.using))
        return summary(result, self.style)
