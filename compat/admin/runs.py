"""The pages of the runs: a list and a page for each run. They refresh themselves."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from compat import conf
from compat.admin.actions import ask, begin, check_free, readings_job, refusal, run_job
from compat.admin.base import PageAdmin
from compat.admin.buttons import list_buttons, run_buttons
from compat.admin.charts import charts
from compat.admin.figures import figures_of, is_live, seconds_of, with_clock
from compat.copies import PERFORMANCE
from compat.copying import operations
from compat.copying.errors import Blocked
from compat.copying.models import Request
from compat.copying.results import DIFFERENCE_LABELS
from compat.copying.runner.reservation import run_to_resume, run_to_roll_back
from compat.copying.runs.lease_holder import describe_holder
from compat.copying.states import MEANINGS, RESUMABLE, State
from compat.models import Run

MAX_EVENTS = 100
"""Events on the page of a run, the latest first."""


@admin.register(Run)
class RunAdmin(PageAdmin):
    """Runs, newest first. Every action acts on the run in its address, or on all runs."""

    list_display = [
        "name", "status", "advance", "copied", "rejected", "rate", "left", "duration", "verification", "started",
    ]  # fmt: skip
    ordering = ["-pk"]
    list_per_page = 25

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the actions."""
        view = self.admin_site.admin_view
        confirmed = require_http_methods(["GET", "POST"])
        return [
            path("start/", view(require_POST(self.start_view)), name="compat_run_start"),
            path("verify/", view(require_POST(self.verify_view)), name="compat_run_verify"),
            path("roll-back/", view(confirmed(self.roll_back_all_view)), name="compat_run_roll_back_all"),
            path("<int:key>/resume/", view(require_POST(self.resume_view)), name="compat_run_resume"),
            path("<int:key>/pause/", view(require_POST(self.pause_view)), name="compat_run_pause"),
            path("<int:key>/cancel/", view(confirmed(self.cancel_view)), name="compat_run_cancel"),
            path("<int:key>/roll-back/", view(confirmed(self.roll_back_view)), name="compat_run_roll_back"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return the runs of the database that a starting server checks, with its clock."""
        return with_clock(super().get_queryset(request).using(conf.startup_database()))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, and the actions of the newest run of the readings."""
        newest = self._newest(request, PERFORMANCE.name)
        live = bool(newest and is_live(newest))
        context = {"title": _("Runs"), "buttons": list_buttons(request, newest), "live": live}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a run."""
        self.require(request)
        run = self._run(request, object_id)
        newest = run == self._newest(request, run.copy)
        return self.page(
            request, "run.html", _("Run %(number)d") % {"number": run.pk}, run=run, meaning=MEANINGS[State(run.state)],
            figures=figures_of(run), live=is_live(run), owner=describe_holder(run.owner), charts=charts(run.samples),
            differences={DIFFERENCE_LABELS[kind]: rows for kind, rows in (run.differences or {}).items()},
            events=run.events.order_by("-pk")[:MAX_EVENTS],
            open_rejects=run.rejects.filter(resolved_at=None).count(), buttons=run_buttons(request, run, newest=newest),
        )  # fmt: skip

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Start a copy in the background, or resume the open run."""
        self.require(request, "operate_run")
        text = _("The copy starts if there are rows to copy.")
        begin(request, operations.copy_rows, lambda: [readings_job()], "compat-copy", text, check_free)
        return redirect("admin:compat_run_changelist")

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Compare source and target of all runs in the background."""
        self.require(request, "operate_run")
        text = _("Verification of all runs has started. The result will be an event of the newest run.")
        begin(request, operations.verify, lambda: [readings_job()], "compat-verify", text)
        newest = self._newest(request, PERFORMANCE.name)
        return redirect("admin:compat_run_change", newest.pk) if newest else redirect("admin:compat_run_changelist")

    def resume_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Resume a run in the background."""
        self.require(request, "operate_run")
        run = self._run(request, key)
        checks = (check_free, run_to_resume)
        begin(request, operations.copy_rows, lambda: [run_job(run)], "compat-copy", _("The run is resumed."), *checks)
        return redirect("admin:compat_run_change", run.pk)

    def pause_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask a run to stop and to wait until a person resumes it."""
        self.require(request, "operate_run")
        run = self._run(request, key)
        if ask(request, run, Request.PAUSE):
            messages.info(request, _("The run pauses at the next batch border."))
        return redirect("admin:compat_run_change", run.pk)

    def cancel_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Confirm, then stop a run and roll it back in the background."""
        self.require(request, "operate_run", "roll_back_run")
        run = self._run(request, key)
        refused = refusal(partial(_check_cancel, run))
        if request.method != "POST":
            text = _("Run %(run)d stops at the next batch border, and the %(rows)s rows that it copied are deleted.")
            return self._confirm(request, run, _("Cancel run %(run)d?"), text, _("Cancel the run"), refused)
        if refused:
            messages.error(request, refused)
        elif run.state == State.PAUSED or ask(request, run, Request.CANCEL):
            text = _("The run is cancelled. Its rows are deleted from the target.")
            begin(request, operations.cancel, lambda: [run_job(run)], "compat-cancel", text)
        return redirect("admin:compat_run_change", run.pk)

    def roll_back_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Confirm, then roll one run back in the background."""
        self.require(request, "operate_run", "roll_back_run")
        run = self._run(request, key)
        if request.method != "POST":
            refused = refusal(lambda: run_to_roll_back(run_job(run)))
            text = _("The %(rows)s rows that run %(run)d copied are deleted from the target.")
            return self._confirm(request, run, _("Roll back run %(run)d?"), text, _("Roll back"), refused)
        text = _("The rows of run %(run)d are deleted from the target.") % {"run": run.pk}
        checks = (check_free, run_to_roll_back)
        begin(request, operations.roll_back, lambda: [run_job(run)], "compat-roll-back", text, *checks)
        return redirect("admin:compat_run_change", run.pk)

    def roll_back_all_view(self, request: HttpRequest) -> HttpResponse:
        """Confirm, then roll all runs back in the background."""
        self.require(request, "operate_run", "roll_back_run")
        if request.method != "POST":
            kept = self.get_queryset(request).exclude(state=State.ROLLED_BACK)
            rows = sum(figures_of(run).copied for run in kept)
            text = _("The %(rows)s rows that all runs copied are deleted from the target.") % {"rows": f"{rows:,}"}
            return self.page(request, "confirm.html", _("Roll back all runs?"), text=text, verb=_("Roll back"))
        text = _("The copied rows are deleted from the target.")
        begin(request, operations.roll_back, lambda: [readings_job()], "compat-roll-back", text, check_free)
        return redirect("admin:compat_run_changelist")

    def _confirm(
        self, request: HttpRequest, run: Run, title: str, text: str, verb: str, refused: str
    ) -> HttpResponse:  # fmt: skip
        facts = {"run": run.pk, "rows": f"{figures_of(run).copied:,}"}
        return self.page(
            request, "confirm.html", title % facts, text=text % facts, verb=verb, refused=refused, run=run
        )  # fmt: skip

    def _newest(self, request: HttpRequest, copy: str) -> Run | None:
        return self.get_queryset(request).filter(copy=copy).order_by("-pk").first()

    def _run(self, request: HttpRequest, key: str | int) -> Run:
        if not str(key).isdecimal() or (run := self.get_queryset(request).filter(pk=key).first()) is None:
            raise Http404
        return run

    @admin.display(description=gettext_lazy("run"), ordering="pk")
    def name(self, run: Run) -> str:
        """The number and the copy of the run."""
        run.figures = figures_of(run)  # type: ignore[attr-defined]  # once for all columns of the row
        return f"{run.pk} · {run.copy}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, run: Run) -> SafeString:
        """The state, with its colour."""
        return format_html('<span class="compat-badge compat-{}">{}</span>', run.state, run.get_state_display())

    @admin.display(description=gettext_lazy("progress"))
    def advance(self, run: Any) -> str:
        """The share of the keys that is done."""
        return f"{run.figures.done:.0%}"

    @admin.display(description=gettext_lazy("copied"))
    def copied(self, run: Any) -> str:
        """Copied rows."""
        return f"{run.figures.copied:,}"

    @admin.display(description=gettext_lazy("rejected"))
    def rejected(self, run: Any) -> str:
        """Rejected rows."""
        return f"{run.figures.rejected:,}"

    @admin.display(description=gettext_lazy("rows/s"))
    def rate(self, run: Any) -> str:
        """Copied rows per second."""
        return f"{run.figures.rate:,.0f}"

    @admin.display(description=gettext_lazy("left"), empty_value="-")
    def left(self, run: Any) -> str | None:
        """Estimated seconds until the copy ends."""
        return None if run.figures.eta is None else _("%(seconds)s s") % {"seconds": f"{run.figures.eta:,.0f}"}

    @admin.display(description=gettext_lazy("duration"))
    def duration(self, run: Run) -> str:
        """Seconds of work."""
        return _("%(seconds)s s") % {"seconds": f"{seconds_of(run):,.1f}"}

    @admin.display(description=gettext_lazy("verified"), boolean=True)
    def verification(self, run: Run) -> bool | None:
        """Whether verification found source and target equal."""
        return run.verified

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started(self, run: Run) -> str:
        """When the run started."""
        return f"{run.started_at:%Y-%m-%d %H:%M}"


def _check_cancel(run: Run) -> None:
    """Raise Blocked when a run is finished, or when its rows cannot be rolled back."""
    if run.state not in RESUMABLE:
        text = _("Run %(run)d is %(state)s, so it cannot be cancelled.")
        raise Blocked(text % {"run": run.pk, "state": run.get_state_display()})
    run_to_roll_back(run_job(run))
