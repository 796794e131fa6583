"""The page of the structure: findings with cause, hint and SQL, and the safe repairs after their SQL was shown."""

from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from compat import conf, services
from compat.admin.base import PageAdmin
from compat.database.stop import Stop
from compat.database.text import one_line
from compat.models import Structure
from compat.structure.findings import Cause, Finding
from compat.structure.render import CAUSES, SEVERITIES
from compat.structure.report import Report
from compat.structure.verification import plan, verify

REPAIR_TIMEOUT_SECONDS = 10.0
"""How long a page waits for a repair in another process."""
CAUSE_LABELS = {Cause.DRIFT: gettext_lazy("drift"), **CAUSES}


@admin.register(Structure)
class StructureAdmin(PageAdmin):
    """Findings in the database that a starting server checks."""

    def get_urls(self) -> list[URLPattern]:
        """Add the page that confirms the repair."""
        repairing = require_http_methods(["GET", "POST"])(self.repair_view)
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name="compat_structure_changelist"),
            path("repair/", self.admin_site.admin_view(repairing), name="compat_structure_repair"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Verify the database and show the findings by table."""
        self.require(request)
        try:
            report = verify(conf.startup_database())
        except services.STRUCTURE_ERRORS as error:
            return self.page(request, "structure.html", _("Structure"), error=one_line(error))
        safe = any(issue.fixable and not issue.needs_rewrite and issue.counts for issue in report.issues)
        may_repair = request.user.has_perm("compat.repair_structure")
        return self.page(
            request, "structure.html", _("Structure"), report=report, tables=_by_table(report), safe=safe and may_repair
        )

    def repair_view(self, request: HttpRequest) -> HttpResponse:
        """Show the SQL of the safe repairs; on POST, apply them."""
        self.require(request, "repair_structure")
        using = conf.startup_database()
        if request.method == "POST":
            _show_outcome(request, services.fix_structure(using, Stop(REPAIR_TIMEOUT_SECONDS)))
            return redirect("admin:compat_structure_changelist")
        try:
            statements = plan(using).statements
        except services.STRUCTURE_ERRORS as error:
            messages.error(request, one_line(error))
            return redirect("admin:compat_structure_changelist")
        return self.page(request, "repair.html", _("Apply the safe repairs?"), statements=statements)


def _by_table(report: Report) -> list[tuple[str, list[tuple[Finding, Promise, Promise]]]]:
    """Return the findings of each table with labels of severity and cause, the most severe first."""
    issues = sorted(report.issues, key=lambda issue: (issue.table, -issue.severity.rank, issue.code))
    tables = [(table, list(group)) for table, group in groupby(issues, key=lambda issue: issue.table)]
    tables.sort(key=lambda table: -max(issue.severity.rank for issue in table[1]))
    return [
        (table, [(issue, SEVERITIES[issue.severity], CAUSE_LABELS[issue.cause]) for issue in group])
        for table, group in tables
    ]


def _show_outcome(request: HttpRequest, fixes: services.Fixes) -> None:
    count = len(fixes.structure.fixed)
    if count:
        messages.success(request, ngettext("%d finding repaired.", "%d findings repaired.", count) % count)
    else:
        messages.warning(request, _("No finding was repaired."))
    for note in fixes.structure.notes:
        messages.info(request, note)
    if fixes.error:
        messages.error(request, fixes.error)
