"""System checks: the findings of a verification, for `check --database` and for `migrate`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning

from compat.structure.errors import Unverifiable
from compat.structure.findings import Cause, Finding, Severity
from compat.structure.verify import verify

MESSAGES = {Severity.ERROR: Error, Severity.WARNING: Warning, Severity.INFO: Info}
UNVERIFIABLE = "compat.W000"
SHOWN = 5  # names in one message


def check_structure(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report what differs between the models and the databases that are named.

    What a migration will bring is told at the level of information, in one message per code: `migrate`, which
    is the remedy, runs this check first and stops at an error.
    """
    labels = [config.label for config in app_configs or ()]
    return [message for alias in databases or () for message in _check(alias, labels)]


def _check(alias: str, labels: Sequence[str]) -> list[CheckMessage]:
    try:
        report = verify(alias, labels)
    except Unverifiable as reason:
        return [Warning(f"{alias}: {reason}", id=UNVERIFIABLE)]
    counted = [issue for issue in report.issues if issue.counts]
    told = [_message(alias, issue) for issue in counted if issue.cause is not Cause.UNAPPLIED]
    return told + list(_waiting(alias, (issue for issue in counted if issue.cause is Cause.UNAPPLIED)))


def _message(alias: str, finding: Finding) -> CheckMessage:
    text = f"{finding.table}: {finding.message}"
    level = MESSAGES[finding.severity] if finding.cause is Cause.DRIFT else Info
    return level(text, hint=finding.hint or None, obj=f"database {alias}", id=finding.code)


def _waiting(alias: str, findings: Iterable[Finding]) -> Iterator[CheckMessage]:
    """Yield one message for all findings of one code that wait for migrations."""
    for code, group in groupby(sorted(findings, key=_code), key=_code):
        places = list(dict.fromkeys(_place(finding) for finding in group))
        listed = ", ".join(places[:SHOWN]) + (", …" if len(places) > SHOWN else "")
        verb = "waits" if len(places) == 1 else "wait"
        text = f"{len(places)} {'finding' if len(places) == 1 else 'findings'} {verb} for migrations: {listed}."
        yield Info(text, hint="Run migrate.", obj=f"database {alias}", id=code)


def _code(finding: Finding) -> str:
    return finding.code


def _place(finding: Finding) -> str:
    whole = finding.object in (None, finding.table)
    return finding.table if whole else f"{finding.table}.{finding.object}"
