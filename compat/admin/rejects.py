"""The page of the rejected rows: why, with which values, and try again."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from compat import background, conf
from compat.admin.base import PageAdmin
from compat.admin.runs import job
from compat.copying import operations
from compat.models import Reject


class Resolved(admin.SimpleListFilter):
    """Waiting rows, unless the resolved ones are asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the other choices beside the default."""
        return [("waiting", _("waiting")), ("resolved", _("resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reject]) -> QuerySet[Reject]:
        """Filter by whether somebody resolved the row."""
        wanted = {"waiting": True, "resolved": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(resolved_at__isnull=wanted)


@admin.register(Reject)
class RejectAdmin(PageAdmin):
    """Rejected rows, the latest first."""

    list_display = ["source_pk", "run", "reason", "values", "created_at", "resolved_at"]
    list_display_links = None
    list_filter = [Resolved, "reason", "run"]
    list_select_related = ["run"]
    ordering = ["-pk"]
    search_fields = ["=source_pk"]

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address."""
        retry = self.admin_site.admin_view(require_POST(self.retry_view))
        return [path("retry/", retry, name="compat_reject_retry"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reject]:
        """Return the rejects of the database that a starting server looks after."""
        return super().get_queryset(request).using(conf.startup_database())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Show the list with the button."""
        waiting = Reject.objects.using(conf.startup_database()).filter(resolved_at=None).exists()
        may_retry = waiting and request.user.has_perm("compat.retry_reject")
        return super().changelist_view(
            request, {"title": _("Rejected rows"), "may_retry": may_retry, **(extra_context or {})}
        )

    def retry_view(self, request: HttpRequest) -> HttpResponse:
        """Try every waiting row again, beside the server."""
        self.require(request, "retry_reject")
        background.start(lambda stop: operations.retry_rejected(job(stop)), "compat-retry")
        messages.info(request, _("The rejected rows are tried again."))
        return redirect("admin:compat_reject_changelist")

    @admin.display(description=gettext_lazy("values"))
    def values(self, reject: Reject) -> str:
        """The row's values as the source held them."""
        return format_html("<code>{}</code>", json.dumps(reject.payload, ensure_ascii=False))
