"""The buttons of the pages of the runs: what the user may do, as the state of the run allows. The views check again."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from compat.admin.figures import is_live
from compat.copies import COPIES, PERFORMANCE
from compat.copying.models import Request
from compat.copying.states import OPEN, RESUMABLE, State, may_become
from compat.models import Run


@dataclass(frozen=True)
class Button:
    """A button that posts, or a link to a page of confirmation."""

    label: str
    url: str
    posts: bool = True
    primary: bool = False


def list_buttons(request: HttpRequest, newest: Run | None) -> list[Button]:
    """Return the actions on the newest run of the readings, and on all runs."""
    if not request.user.has_perm("compat.operate_run"):
        return []
    return [*_control(newest), *_verify(newest), *_cancel(request, newest), *_roll_back(request, newest)]


def run_buttons(request: HttpRequest, run: Run, *, newest: bool) -> list[Button]:
    """Return the actions on a run. An older run, or one of a copy that this project does not declare, only pauses."""
    if not request.user.has_perm("compat.operate_run"):
        return []
    if not newest or run.copy not in COPIES:
        return [*_pause(run)]
    readings = run.copy == PERFORMANCE.name
    control = _control(run) if readings or run.state in OPEN else ()
    verify = _verify(run) if readings else ()
    return [*control, *verify, *_cancel(request, run), *_roll_back(request, run, one=True)]


def _control(run: Run | None) -> Iterator[Button]:
    if run is None or run.state not in OPEN:
        yield Button(_("Start a copy"), reverse("admin:compat_run_start"), primary=True)
        return
    if run.state in RESUMABLE and not is_live(run):
        yield Button(_("Resume"), reverse("admin:compat_run_resume", args=[run.pk]), primary=True)
    yield from _pause(run)


def _pause(run: Run) -> Iterator[Button]:
    if may_become(run.state, State.PAUSED) and not run.request:
        yield Button(_("Pause"), reverse("admin:compat_run_pause", args=[run.pk]))


def _verify(run: Run | None) -> Iterator[Button]:
    if run is not None and run.state != State.ROLLED_BACK and not is_live(run):
        yield Button(_("Verify"), reverse("admin:compat_run_verify"))


def _cancel(request: HttpRequest, run: Run | None) -> Iterator[Button]:
    may = request.user.has_perm("compat.roll_back_run")
    if may and run is not None and run.state in RESUMABLE and run.request != Request.CANCEL:
        yield Button(_("Cancel…"), reverse("admin:compat_run_cancel", args=[run.pk]), posts=False)


def _roll_back(request: HttpRequest, run: Run | None, *, one: bool = False) -> Iterator[Button]:
    may = request.user.has_perm("compat.roll_back_run")
    if may and run is not None and run.state != State.ROLLED_BACK and not is_live(run):
        url = reverse("admin:compat_run_roll_back", args=[run.pk]) if one else reverse("admin:compat_run_roll_back_all")
        yield Button(_("Roll back…"), url, posts=False)
