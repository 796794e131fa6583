"""System checks: the findings of a verification, for `check --database` and for `migrate`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning

from compat.structure.errors import Unverifiable
from compat.structure.findings import Cause, Finding, Severity
from compat.structure.verify import verify

MESSAGES = {Severity.ERROR: Error, Severity.WARNING: Warning, Severity.INFO: Info}
UNVERIFIABLE = "compat.W000"


def check_structure(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report what differs between the models and the databases that are named.

    What a migration will bring is told at the level of information: `migrate`, which is the remedy, runs
    this check first and stops at an error.
    """
    labels = [config.label for config in app_configs or ()]
    return [message for alias in databases or () for message in _check(alias, labels)]


def _check(alias: str, labels: Sequence[str]) -> list[CheckMessage]:
    try:
        report = verify(alias, labels)
    except Unverifiable as reason:
        return [Warning(f"{alias}: {reason}", id=UNVERIFIABLE)]
    return [_message(alias, issue) for issue in report.issues if issue.counts]


def _message(alias: str, finding: Finding) -> CheckMessage:
    text = f"{finding.table}: {finding.message}"
    level = MESSAGES[finding.severity] if finding.cause is Cause.DRIFT else Info
    return level(text, hint=finding.hint or None, obj=f"database {alias}", id=finding.code)
