"""The pages of the runs: a list, and a page for each run; they update themselves and act through the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from compat import background, conf, services
from compat.admin.base import PageAdmin
from compat.admin.charts import charts
from compat.copies import PERFORMANCE
from compat.copying import operations, preflight
from compat.copying.errors import CopyError
from compat.copying.job import Job
from compat.copying.models import Request
from compat.copying.results import Result
from compat.copying.runs import requests
from compat.copying.runs.lease_holder import describe_holder
from compat.copying.states import MEANINGS, OPEN, RESUMABLE, State, may_become
from compat.database.stop import Stop
from compat.database.text import one_line
from compat.models import Run
from compat.progress import is_live, progress_of, seconds_of

EVENTS = 100
"""Events that a run's page shows, the latest first."""


@admin.register(Run)
class RunAdmin(PageAdmin):
    """Runs, newest first."""

    list_display = ["name", "status", "advance", "copied", "rejected", "rate", "left", "duration", "proof", "started"]
    ordering = ["-pk"]
    list_per_page = 25

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that act."""
        view = self.admin_site.admin_view
        asked = require_http_methods(["GET", "POST"])
        return [
            path("start/", view(require_POST(self.start_view)), name="compat_run_start"),
            path("verify/", view(require_POST(self.verify_view)), name="compat_run_verify"),
            path("roll-back/", view(asked(self.roll_back_view)), name="compat_run_roll_back"),
            path("<int:key>/pause/", view(require_POST(self.pause_view)), name="compat_run_pause"),
            path("<int:key>/cancel/", view(asked(self.cancel_view)), name="compat_run_cancel"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return the runs of the database that a starting server looks after."""
        return super().get_queryset(request).using(conf.startup_database())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list with the buttons."""
        newest = self._newest(request)
        context = {"title": _("Runs"), "buttons": buttons(request, newest), "live": bool(newest and is_live(newest))}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a run."""
        self.require(request)
        run = self._run(request, object_id)
        able = buttons(request, run) if run == self._newest(request) else []
        return self.page(
            request, "run.html", _("Run %(number)d") % {"number": run.pk}, run=run, meaning=MEANINGS[State(run.state)],
            progress=progress_of(run), live=is_live(run), owner=describe_holder(run.owner), charts=charts(run.samples),
            differences=run.differences or {}, events=run.events.order_by("-pk")[:EVENTS],
            waiting=run.rejects.filter(resolved_at=None).count(), buttons=able,
        )  # fmt: skip

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Start a copy beside the server, or resume the one that is open."""
        self.require(request, "operate_run")
        begin(request, operations.copy_rows, "compat-copy", _("The copy begins, if there is something to copy."))
        return redirect("admin:compat_run_changelist")

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Compare source and target beside the server."""
        self.require(request, "operate_run")
        text = _("Source and target are being compared; the result appears among the events of the newest run.")
        begin(request, operations.verify, "compat-verify", text)
        newest = self._newest(request)
        return redirect("admin:compat_run_change", newest.pk) if newest else redirect("admin:compat_run_changelist")

    def pause_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask a run to stop, and to wait for a person."""
        self.require(request, "operate_run")
        run = self._run(request, key)
        if ask(request, run, Request.PAUSE):
            messages.info(request, _("The run pauses at the next batch border."))
        return redirect("admin:compat_run_change", run.pk)

    def cancel_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask before a run is given up; asked by POST, stop it, and take its rows back beside the server."""
        self.require(request, "operate_run", "roll_back_run")
        run = self._run(request, key)
        if request.method != "POST":
            text = _("The run stops at the next batch border, and the %(rows)s rows that it copied are taken back.")
            return self._confirm(request, _("Cancel the run?"), text, progress_of(run).copied, _("Cancel the run"))
        if run.state == State.PAUSED or ask(request, run, Request.CANCEL):
            begin(request, operations.cancel, "compat-cancel", _("The run is given up; its rows are taken back."))
        return redirect("admin:compat_run_change", run.pk)

    def roll_back_view(self, request: HttpRequest) -> HttpResponse:
        """Ask before the copied rows are taken back; asked by POST, do it beside the server."""
        self.require(request, "operate_run", "roll_back_run")
        if request.method != "POST":
            rows = sum(progress_of(run).copied for run in self.get_queryset(request).exclude(state=State.ROLLED_BACK))
            text = _("The %(rows)s rows that all runs copied are deleted from the target.")
            return self._confirm(request, _("Roll back every run?"), text, rows, _("Roll back"))
        begin(request, operations.roll_back, "compat-roll-back", _("The copied rows are being taken back."))
        return redirect("admin:compat_run_changelist")

    def _confirm(self, request: HttpRequest, title: str, text: str, rows: int, verb: str) -> HttpResponse:
        return self.page(request, "confirm.html", title, text=text % {"rows": f"{rows:,}"}, verb=verb)

    def _newest(self, request: HttpRequest) -> Run | None:
        return self.get_queryset(request).filter(copy=PERFORMANCE.name).order_by("-pk").first()

    def _run(self, request: HttpRequest, key: str | int) -> Run:
        if not str(key).isdecimal() or (run := self.get_queryset(request).filter(pk=key).first()) is None:
            raise Http404
        return run

    @admin.display(description=gettext_lazy("run"), ordering="pk")
    def name(self, run: Run) -> str:
        """The run's number and copy."""
        run.progress = progress_of(run)  # type: ignore[attr-defined]  # once for all columns of its line
        return f"{run.pk} · {run.copy}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, run: Run) -> SafeString:
        """The state, with its colour."""
        return format_html('<span class="compat-badge compat-{}">{}</span>', run.state, run.get_state_display())

    @admin.display(description=gettext_lazy("progress"))
    def advance(self, run: Any) -> str:
        """How much of the keys is done."""
        return f"{run.progress.done:.0%}"

    @admin.display(description=gettext_lazy("copied"))
    def copied(self, run: Any) -> str:
        """Rows that are over."""
        return f"{run.progress.copied:,}"

    @admin.display(description=gettext_lazy("rejected"))
    def rejected(self, run: Any) -> str:
        """Rows that the target cannot hold."""
        return f"{run.progress.rejected:,}"

    @admin.display(description=gettext_lazy("rows/s"))
    def rate(self, run: Any) -> str:
        """Copied rows per second."""
        return f"{run.progress.rate:,.0f}"

    @admin.display(description=gettext_lazy("left"), empty_value="-")
    def left(self, run: Any) -> str | None:
        """Seconds that are left, as far as they can be told."""
        return None if run.progress.eta is None else _("%(seconds)s s") % {"seconds": f"{run.progress.eta:,.0f}"}

    @admin.display(description=gettext_lazy("duration"))
    def duration(self, run: Run) -> str:
        """Seconds of work."""
        return _("%(seconds)s s") % {"seconds": f"{seconds_of(run):,.1f}"}

    @admin.display(description=gettext_lazy("proof"), boolean=True)
    def proof(self, run: Run) -> bool | None:
        """Whether source and target were found equal."""
        return run.verified

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started(self, run: Run) -> str:
        """When the run began."""
        return f"{run.started_at:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Button:
    """A button: by POST it acts at once; otherwise it leads to a page that asks."""

    label: str
    url: str
    posts: bool = True
    primary: bool = False


def buttons(request: HttpRequest, run: Run | None) -> list[Button]:
    """Return what the user may do with the newest run, as its state allows; the views ask again."""
    if not request.user.has_perm("compat.operate_run"):
        return []
    able = [*_moving(run)]
    if run is not None and run.state != State.ROLLED_BACK:
        if not is_live(run):
            able.append(Button(_("Verify"), reverse("admin:compat_run_verify")))
        if request.user.has_perm("compat.roll_back_run"):
            able += _taking_back(run)
    return able


def _moving(run: Run | None) -> list[Button]:
    start = reverse("admin:compat_run_start")
    if run is None or run.state not in OPEN:
        return [Button(_("Start a copy"), start, primary=True)]
    able = []
    if run.state in RESUMABLE and not is_live(run):
        able.append(Button(_("Resume"), start, primary=True))
    if may_become(run.state, State.PAUSED) and not run.request:
        able.append(Button(_("Pause"), reverse("admin:compat_run_pause", args=[run.pk])))
    return able


def _taking_back(run: Run) -> list[Button]:
    able = []
    if run.state in RESUMABLE and run.request != Request.CANCEL:
        able.append(Button(_("Cancel…"), reverse("admin:compat_run_cancel", args=[run.pk]), posts=False))
    if not is_live(run):
        able.append(Button(_("Roll back…"), reverse("admin:compat_run_roll_back"), posts=False))
    return able


def job(stop: Stop, **options: Any) -> Job:
    """Return the copy of the readings in the database that a starting server looks after, beside its traffic."""
    using = conf.startup_database()
    source = conf.startup_source() or using
    return Job(PERFORMANCE, using=using, source=source, stop=stop, **services.beside_traffic(using), **options)


def begin(request: HttpRequest, operation: Callable[[Job], Result], name: str, text: str, **options: Any) -> None:
    """Begin an operation beside the server, and say so; or say what is in its way."""
    try:
        preflight.check(job(Stop()))
    except CopyError as error:
        messages.error(request, str(error))
        return
    background.start(lambda stop: operation(job(stop, **options)), name)
    messages.info(request, text)


def ask(request: HttpRequest, run: Run, what: Request) -> bool:
    """Ask something of a run in the user's name; tell whether that was possible."""
    try:
        requests.ask(run, conf.startup_database(), what, request.user.get_username())
    except (CopyError, DatabaseError) as error:
        messages.error(request, one_line(error))
        return False
    return True
