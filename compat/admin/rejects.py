"""The page of the rejected rows: their reasons and values, and the retry."""

from collections import Counter
from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from compat import conf
from compat.admin.actions import begin, check_free, retry_jobs
from compat.admin.base import PageAdmin
from compat.copies import COPIES
from compat.copying import operations, reasons
from compat.copying.job import Job
from compat.models import Reject

MAX_COUNTED_REJECTS = 10_000
"""Rejects that the filter of reasons counts, the latest ones."""
MAX_REASONS = 15
"""Reasons in the filter."""
MAX_SELECTED = 1000
"""Rows that one retry of selected rows takes. The button retries all of them."""


class Resolved(admin.SimpleListFilter):
    """Filters open and resolved rejects."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the choices besides all."""
        return [("open", _("open")), ("resolved", _("resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reject]) -> QuerySet[Reject]:
        """Filter by whether the row is resolved."""
        wanted = {"open": True, "resolved": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(resolved_at__isnull=wanted)


class Reason(admin.SimpleListFilter):
    """Filters by the first reason, most frequent first; the row-specific part of a database error is removed."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the reasons with the number of their rows."""
        latest = model_admin.get_queryset(request).order_by("-pk").values_list("reasons__0", flat=True)
        found = [reasons.Reason.from_json(stored) for stored in latest[:MAX_COUNTED_REJECTS] if stored]
        counts = Counter((reason.code, reason.subject, reason.summary()) for reason in found)
        return [
            (f"{code}:{subject}", f"{summary} ({count:,})")
            for (code, subject, summary), count in counts.most_common(MAX_REASONS)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reject]) -> QuerySet[Reject]:
        """Filter by the code and the subject of the first reason."""
        if not (value := self.value()):
            return queryset
        code, _colon, subject = value.partition(":")
        of_subject = Q(reasons__0__facts__column=subject) | Q(reasons__0__facts__summary=subject)
        return queryset.filter(of_subject, reasons__0__code=code)


@admin.register(Reject)
class RejectAdmin(PageAdmin):
    """Rejected rows, the latest first."""

    list_display = ["source_key", "run_number", "reason_text", "values", "resolved"]
    list_display_links = None
    fields = ["run", "source_key", "reason_text", "payload", "created_at", "resolved_at"]
    readonly_fields = ["reason_text"]
    list_filter = [Resolved, Reason, "run"]
    list_per_page = 50
    ordering = ["-pk"]
    search_fields = ["=source_key"]
    actions = ["retry_selected"]

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button."""
        retry = self.admin_site.admin_view(require_POST(self.retry_view))
        return [path("retry/", retry, name="compat_reject_retry"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reject]:
        """Return the rejects of the database that a starting server checks."""
        return super().get_queryset(request).using(conf.startup_database())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Show the list with the button."""
        may_retry = self._open(request).exists() and request.user.has_perm("compat.retry_reject")
        return super().changelist_view(
            request, {"title": _("Rejected rows"), "may_retry": may_retry, **(extra_context or {})}
        )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry rows."""
        return request.user.has_perm("compat.retry_reject")

    def retry_view(self, request: HttpRequest) -> HttpResponse:
        """Retry all open rejects of the copies of this project in the background."""
        self.require(request, "retry_reject")
        rejects = self._open(request).filter(run__copy__in=COPIES)
        self._retry(request, lambda: retry_jobs(rejects), _("All open rows are retried."))
        return redirect("admin:compat_reject_changelist")

    @admin.action(permissions=["retry"], description=gettext_lazy("Retry the selected rows"))
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Reject]) -> None:
        """Retry the selected open rejects in the background."""
        selected = queryset.filter(resolved_at=None)
        keys = frozenset(selected.order_by("pk").values_list("pk", flat=True)[: MAX_SELECTED + 1])
        if not keys:
            messages.warning(request, _("All of these rows are already resolved."))
        elif len(keys) > MAX_SELECTED:
            text = _("Select at most %(number)d rows, or retry all open rows.")
            messages.warning(request, text % {"number": MAX_SELECTED})
        else:
            text = ngettext("%d row is retried.", "%d rows are retried.", len(keys)) % len(keys)
            self._retry(request, lambda: retry_jobs(selected, keys), text)

    def _retry(self, request: HttpRequest, jobs: Callable[[], list[Job]], text: str) -> None:
        begin(request, operations.retry_rejected, jobs, "compat-retry", text, check_free)

    def _open(self, request: HttpRequest) -> QuerySet[Reject]:
        return self.get_queryset(request).filter(resolved_at=None)

    @admin.display(description=gettext_lazy("run"), ordering="run")
    def run_number(self, reject: Reject) -> str:
        """The number of the run that rejected the row."""
        return str(reject.run_id)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def reason_text(self, reject: Reject) -> str:
        """The reasons in the language of the reader."""
        return reject.reason_text

    @admin.display(description=gettext_lazy("values"))
    def values(self, reject: Reject) -> SafeString:
        """The values of the row in the source."""
        values = [(name, _shown(value)) for name, value in reject.payload.items()]
        return format_html(
            '<div class="compat-values">{}</div>', format_html_join(" ", "<span><b>{}</b> {}</span>", values)
        )

    @admin.display(description=gettext_lazy("resolved"), ordering="resolved_at")
    def resolved(self, reject: Reject) -> str | None:
        """When the row was resolved."""
        return f"{reject.resolved_at:%Y-%m-%d %H:%M}" if reject.resolved_at else None


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
