"""The work of a starting server: verify and repair, which is short, then copy while the server serves."""

import logging
from collections.abc import Iterator

from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compat import conf, services
from compat.conf import Startup
from compat.copying import results
from compat.copying.states import State
from compat.database.locks import acquire_leadership
from compat.database.stop import Stop
from compat.services import Fixes
from compat.structure.findings import Severity

logger = logging.getLogger("compat.startup")
HELD_STATES = (State.PAUSED, State.ROLLED_BACK)
"""States of the newest run in which a server does not copy, because a person stopped or rolled back the copy."""
MAX_LISTED_FINDINGS = 10
"""Findings in the log; the command lists them all."""


def run(stop: Stop) -> None:
    """Do the work with connections of this thread, unless another process of this server does it."""
    using = conf.startup_database()
    try:
        if acquire_leadership(using, stop):
            _run(using, stop)
    finally:
        connections.close_all()


def is_sound(stop: Stop) -> bool:
    """Verify and repair in this thread; return whether no error is left, and report the errors."""
    try:
        fixes = _fixed(conf.startup_database(), stop)
    finally:
        connections.close_all()
    if fixes.exit_code:
        report(fixes)
    return not fixes.exit_code


def _run(using: str, stop: Stop) -> None:
    fixes = _fixed(using, stop)
    if conf.startup() is Startup.COPY:
        fixes = services.copy_readings(fixes, conf.startup_source(), stop, held=HELD_STATES)
    report(fixes)


def _fixed(using: str, stop: Stop) -> Fixes:
    return services.fix_structure(using, stop, repairs=conf.startup() is not Startup.VERIFY)


def report(fixes: Fixes) -> None:
    """Log one line of summary, and one block with the commands to run when something needs attention.

    What a newer release has migrated comes first.
    """
    for issue in fixes.structure.history:
        logger.warning("%s: %s %s", fixes.structure.database, issue.message, issue.hint)
    logger.info("start-up check of %s: %s", fixes.structure.database, "; ".join(_summary(fixes)))
    if needs := list(_needs(fixes)):
        logger.warning(_("The database %s needs attention:\n%s"), fixes.structure.database, "\n".join(needs))


def _summary(fixes: Fixes) -> Iterator[str]:
    structure, copy = fixes.structure, fixes.copy
    if structure.status == "unverifiable":
        yield "not verified"
    else:
        errors, warnings = _left(fixes, Severity.ERROR), _left(fixes, Severity.WARNING)
        yield f"{structure.tables} tables, {len(structure.fixed)} repaired, {errors} errors and {warnings} warnings"
    if copy is not None and copy.status == results.NOTHING_TO_DO:
        yield "nothing to copy"
    elif copy is not None:
        yield f"copy {copy.status.replace('_', ' ')}, {copy.copied} rows copied, {copy.rejected} rejected"
    yield f"{fixes.seconds:.2f} s"


def _left(fixes: Fixes, severity: Severity) -> int:
    return sum(issue.severity is severity and issue.ignored is None for issue in fixes.structure.issues)


def _needs(fixes: Fixes) -> Iterator[str]:
    """Yield the lines of the block: what is wrong, and the commands that show it and correct it."""
    structure, copy = fixes.structure, fixes.copy
    alias = "" if structure.database == "default" else f" --database {structure.database}"
    if structure.status == "unverifiable":
        yield from [f"  {fixes.error}"] if fixes.error else _listed(fixes)
        yield (
            "  "
            + _("The database was not verified. Correct this, then run:")
            + f" python manage.py run_compatibility_fixes{alias}"
        )
        return
    if fixes.error and (copy is None or fixes.error != copy.error):
        yield f"  {fixes.error}"
    if structure.reaches(Severity.ERROR):
        yield from _structure_needs(fixes, alias)
    if copy is None or copy.status in {results.NOTHING_TO_DO, results.STOPPED}:
        return
    if copy.rejected:
        text = ngettext(
            "%(rows)d row was rejected; table compat_rejectedrow holds its values and the reason.",
            "%(rows)d rows were rejected; table compat_rejectedrow holds their values and the reasons.",
            copy.rejected,
        )
        yield f"  {text % {'rows': copy.rejected}}"
        yield _command(_("Correct them in performance_data, then run:"), f"migrate_performance --retry-rejected{alias}")
    elif copy.exit_code:
        yield "  " + _("The copy failed: %(error)s") % {"error": copy.error}
        yield _command(_("To list the runs:"), f"migrate_performance --status{alias}")


def _command(text: str, command: str) -> str:
    return f"    {text}  python manage.py {command}"


def _listed(fixes: Fixes, least: Severity = Severity.WARNING) -> Iterator[str]:
    severities = {Severity.ERROR, least}
    issues = [issue for issue in fixes.structure.issues if issue.severity in severities and issue.ignored is None]
    for issue in issues[:MAX_LISTED_FINDINGS]:
        yield f"  {issue.code} {issue.table}: {issue.message}"
        if issue.hint:
            yield f"    {issue.hint}"
    if len(issues) > MAX_LISTED_FINDINGS:
        yield "  " + _("and %(number)d more") % {"number": len(issues) - MAX_LISTED_FINDINGS}


def _structure_needs(fixes: Fixes, alias: str) -> Iterator[str]:
    yield from _listed(fixes, Severity.ERROR)
    issues = [issue for issue in fixes.structure.issues if issue.severity is Severity.ERROR and issue.ignored is None]
    yield _command(_("To list all findings:"), f"verify_structure{alias}")
    if any(issue.fixable and issue.needs_rewrite for issue in issues):
        yield _command(_("To rewrite the tables without loss of data:"), f"verify_structure --fix --rewrite{alias}")
