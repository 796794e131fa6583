"""System checks: the findings of a verification, for `check --database` and for `migrate`."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.core.checks import CheckMessage, Info, Warning
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compat.structure.errors import Unverifiable
from compat.structure.findings import Cause, Finding
from compat.structure.verification import verify

UNVERIFIABLE = "compat.W000"
MAX_LISTED = 5
"""Names in one message."""


def check_structure(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report what differs between the models and these databases.

    `migrate` runs this check first and stops at an error, whatever it was asked to migrate, and Django does not
    tell a check who runs it. Therefore drift is a warning here, whose id tells how bad it is, and
    `check --database default --fail-level WARNING` fails for it. What `migrate` itself will do is information, in
    one message per code.
    """
    labels = [config.label for config in app_configs or ()]
    return [message for alias in databases or () for message in _check(alias, labels)]


def _check(alias: str, labels: Sequence[str]) -> list[CheckMessage]:
    try:
        report = verify(alias, labels)
    except Unverifiable as reason:
        return [Warning(f"{alias}: {reason}", id=UNVERIFIABLE)]
    counted = [issue for issue in report.issues if issue.counts]
    absent = any(issue.kind.is_missing_table for issue in counted)
    without_migrations = MigrationLoader(None).unmigrated_apps if absent else ()
    messages = [_message(alias, issue, without_migrations) for issue in counted if issue.cause is not Cause.UNAPPLIED]
    return messages + list(_unapplied(alias, (issue for issue in counted if issue.cause is Cause.UNAPPLIED)))


def _message(alias: str, finding: Finding, without_migrations: Container[str | None]) -> CheckMessage:
    text, database = f"{finding.table}: {finding.message}", _about(alias)
    if finding.kind.is_missing_table and finding.app in without_migrations:
        return Info(text, hint=_("Run migrate --run-syncdb."), obj=database, id=finding.code)
    level = Warning if finding.cause is Cause.DRIFT else Info
    return level(text, hint=finding.hint or None, obj=database, id=finding.code)


def _about(alias: str) -> str:
    return _("database %(alias)s") % {"alias": alias}


def _unapplied(alias: str, findings: Iterable[Finding]) -> Iterator[CheckMessage]:
    """Yield one message for all findings of one code that wait for migrations."""
    for code, group in groupby(sorted(findings, key=_code), key=_code):
        names = list(dict.fromkeys(_name(finding) for finding in group))
        listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
        text = ngettext(
            "%(count)d finding waits for migrations: %(names)s.",
            "%(count)d findings wait for migrations: %(names)s.",
            len(names),
        )
        message = text % {"count": len(names), "names": listed}
        yield Info(message, hint=_("Run migrate."), obj=_about(alias), id=code)


def _code(finding: Finding) -> str:
    return finding.code


def _name(finding: Finding) -> str:
    whole = finding.object in (None, finding.table)
    return finding.table if whole else f"{finding.table}.{finding.object}"
