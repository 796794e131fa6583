"""The pages of the runs: a list, and for each run a page that updates itself and acts."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compat import background, conf, services
from compat.admin.base import PageAdmin
from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.job import Job
from compat.copying.owners import who
from compat.copying.results import Result
from compat.copying.states import OPEN, RESUMABLE, State
from compat.copying.stopping import Stop
from compat.models import Run
from compat.progress import progress_of

VERIFY_SECONDS = 20.0
"""A comparison that a page asks for and waits for; a longer one is the command's work."""


@admin.register(Run)
class RunAdmin(PageAdmin):
    """Runs, newest first."""

    list_display = ["pk", "state", "advance", "copied", "rejected", "rate", "duration", "verified", "started_at"]
    list_filter = ["state"]
    ordering = ["-pk"]

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that show and act."""
        view = self.admin_site.admin_view
        asked = require_http_methods(["GET", "POST"])
        return [
            path("start/", view(require_POST(self.start_view)), name="compat_run_start"),
            path("verify/", view(require_POST(self.verify_view)), name="compat_run_verify"),
            path("roll-back/", view(asked(self.roll_back_view)), name="compat_run_roll_back"),
            path("<int:key>/progress/", view(require_safe(self.progress_view)), name="compat_run_progress"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return the runs of the database that a starting server looks after."""
        return super().get_queryset(request).using(conf.startup_database())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list with the buttons."""
        return super().changelist_view(request, {"title": _("Runs"), **_buttons(request), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a run."""
        self.require(request)
        run = self._run(request, object_id)
        return self.page(
            request, "run.html", str(run), run=run, progress=progress_of(run), live=_is_live(run),
            owner=who(run.owner), differences=run.differences or {}, **_buttons(request),
        )  # fmt: skip

    def progress_view(self, request: HttpRequest, key: int) -> JsonResponse:
        """Return how far a run is, for the page that updates itself."""
        self.require(request)
        run = self._run(request, key)
        return JsonResponse({**progress_of(run).as_dict(), "state": run.state, "live": _is_live(run)})

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Start a copy beside the server, or resume the one that is open."""
        self.require(request, "operate_run")
        using, source = conf.startup_database(), conf.startup_source()
        background.start(lambda stop: services.migrate_performance_data(using, source, stop=stop), "compat-copy")
        messages.info(request, _("The copy starts; it appears in the list at once if there is something to copy."))
        return redirect("admin:compat_run_changelist")

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Compare source and target now."""
        self.require(request, "operate_run")
        _tell(request, operations.verify(job(Stop(VERIFY_SECONDS))))
        return redirect("admin:compat_run_changelist")

    def roll_back_view(self, request: HttpRequest) -> HttpResponse:
        """Ask before the copied rows are taken back; asked by POST, do it beside the server."""
        self.require(request, "operate_run", "roll_back_run")
        if request.method != "POST":
            rows = sum(progress_of(run).copied for run in self.get_queryset(request).exclude(state=State.ROLLED_BACK))
            return self.page(request, "roll_back.html", _("Roll back every run?"), rows=rows)
        background.start(lambda stop: operations.roll_back(job(stop)), "compat-roll-back")
        messages.info(request, _("The copied rows are being taken back."))
        return redirect("admin:compat_run_changelist")

    def _run(self, request: HttpRequest, key: str | int) -> Run:
        if not str(key).isdecimal() or (run := self.get_queryset(request).filter(pk=key).first()) is None:
            raise Http404
        return run

    @admin.display(description=gettext_lazy("progress"))
    def advance(self, run: Run) -> str:
        """How much of the keys is done."""
        return f"{progress_of(run).done:.0%}"

    @admin.display(description=gettext_lazy("copied"))
    def copied(self, run: Run) -> str:
        """Rows that are over."""
        return f"{progress_of(run).copied:,}"

    @admin.display(description=gettext_lazy("rejected"))
    def rejected(self, run: Run) -> str:
        """Rows that the target cannot hold."""
        return f"{progress_of(run).rejected:,}"

    @admin.display(description=gettext_lazy("rows/s"))
    def rate(self, run: Run) -> str:
        """Copied rows per second."""
        return f"{progress_of(run).rate:,.0f}"

    @admin.display(description=gettext_lazy("duration"))
    def duration(self, run: Run) -> str:
        """Seconds of work."""
        return f"{progress_of(run).seconds:,.1f} s"


def job(stop: Stop) -> Job:
    """Return the copy of the readings in the database that a starting server looks after."""
    using = conf.startup_database()
    return Job(PERFORMANCE, using=using, source=conf.startup_source() or using, stop=stop)


def _is_live(run: Run) -> bool:
    """Tell whether a process has the run; one that died counts until its lease expires."""
    return bool(run.owner) and run.lease_expires_at is not None and run.lease_expires_at > timezone.now()


def _buttons(request: HttpRequest) -> dict[str, Any]:
    """Return which buttons the user may see; the views ask again."""
    runs = Run.objects.using(conf.startup_database()).filter(copy=PERFORMANCE.name)
    open_run = runs.filter(state__in=OPEN).first()
    may_operate = request.user.has_perm("compat.operate_run")
    may_roll_back = may_operate and request.user.has_perm("compat.roll_back_run")
    return {
        "may_start": may_operate and (open_run is None or (open_run.state in RESUMABLE and not _is_live(open_run))),
        "resumes": open_run is not None,
        "may_verify": may_operate and runs.exists(),
        "may_roll_back": may_roll_back and runs.filter(~Q(state=State.ROLLED_BACK)).exists(),
    }


def _tell(request: HttpRequest, result: Result) -> None:
    if result.status == "verified":
        messages.success(request, _("Source and target are equal: %(rows)s rows.") % {"rows": f"{result.copied:,}"})
    elif result.status == "stopped":
        messages.warning(request, _("It takes longer than a page can wait: run migrate_performance --verify."))
    else:
        messages.error(request, result.error or result.status)
