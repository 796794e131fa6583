"""Results and runs as text for the terminal."""

from collections.abc import Iterable, Iterator

from django.core.management.color import Style
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from compat.copying import results
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.runs import store
from compat.database.text import padded

HEADLINES = {
    results.COMPLETED: gettext_lazy("Copied and verified."),
    results.NOTHING_TO_DO: gettext_lazy("Nothing to do."),
    results.STOPPED: gettext_lazy("Stopped at a batch border. Run again to resume."),
    results.FAILED: gettext_lazy("Failed. Nothing is lost: run again to resume."),
    results.ROLLED_BACK: gettext_lazy("Rolled back."),
    results.DRY_RUN: gettext_lazy("Dry run: nothing was changed."),
    results.VERIFIED: gettext_lazy("Source and target are equal."),
    results.DIFFERENT: gettext_lazy("Source and target differ."),
}
COPIED = (gettext_lazy("copied"), gettext_lazy("rejected"), gettext_lazy("time"))
LABELS = {
    results.DRY_RUN: (gettext_lazy("to copy"), gettext_lazy("to reject"), gettext_lazy("estimate")),
    results.ROLLED_BACK: (gettext_lazy("deleted"), *COPIED[1:]),
}
LOCAL_TIMES = {
    "skipped": ngettext_lazy(
        "%(rows)d local time does not exist in its zone (clocks set forward); read with the smaller UTC offset",
        "%(rows)d local times do not exist in their zone (clocks set forward); read with the smaller UTC offset",
        "rows",
    ),
    "ambiguous": ngettext_lazy(
        "%(rows)d local time is ambiguous (clocks set back); read with the smaller UTC offset",
        "%(rows)d local times are ambiguous (clocks set back); read with the smaller UTC offset",
        "rows",
    ),
}
COLUMN_WIDTHS = (-5, 12, 23, -11, -8, -7, 8, 0)
"""The columns of the list of runs; a negative width aligns to the right."""
VERIFIED = {True: gettext_lazy("yes"), False: gettext_lazy("no"), None: "-"}


def summary(result: Result, style: Style) -> str:
    """Return a headline, the counts and what to do next."""
    paint = style.SUCCESS if result.exit_code == 0 else style.ERROR if result.exit_code == 1 else style.WARNING
    return "\n".join([paint(str(HEADLINES[result.status])), *_details(result)])


def _details(result: Result) -> Iterator[str]:
    if result.status == results.NOTHING_TO_DO and result.run is None:
        return  # nothing was counted
    copied, rejected, seconds = LABELS.get(result.status, COPIED)
    if result.run is not None:
        yield _figure(_("run"), str(result.run))
    if result.status != results.ROLLED_BACK:
        yield _figure(_("source"), _rows(result.source_rows))
    yield _figure(copied, _rows(result.copied))
    if result.rejected:
        yield _figure(rejected, _rows(result.rejected))
    if result.batches:
        yield _figure(_("batches"), f"{result.batches:,}")
    if result.seconds:
        rate = f"{result.rows_per_second:,.0f}"
        yield _figure(seconds, _("%(seconds).2f s, %(rate)s rows/s") % {"seconds": result.seconds, "rate": rate})
    yield from _remarks(result)


def _figure(label: object, value: str) -> str:
    return f"  {padded(label, 12)} {value}"


def _rows(number: int) -> str:
    return ngettext("%(rows)s row", "%(rows)s rows", number) % {"rows": f"{number:,}"}


def _remarks(result: Result) -> Iterator[str]:
    for kind, rows in result.local_times.items():
        if rows:
            yield f"  {LOCAL_TIMES[kind] % {'rows': rows}}"
    if result.error:
        yield f"  {result.error}"
    if result.rejected and result.status == results.COMPLETED:
        yield "  " + _("The table compat_rejectedrow holds the rejected rows with reason and values.")
        yield "  " + _("Correct them in the source, then run again with --retry-rejected.")


def run_lines(runs: Iterable[CopyRun], using: str) -> Iterator[str]:
    """Yield a heading and a line for each run."""
    yield _line(
        _("run"), _("state"), _("keys"), _("copied"), _("rejected"), _("seconds"), _("verified"), _("started")
    )  # fmt: skip
    for run in runs:
        done = store.totals(run, using)
        keys = _("%(first)s to %(last)s") % dict(zip(("first", "last"), run.bounds, strict=True))
        yield _line(
            run.pk, run.get_state_display(), keys, f"{done.copied:,}", f"{done.rejected:,}", f"{run.seconds:.1f}",
            VERIFIED[run.verified], f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        )  # fmt: skip
        if run.error_text:
            yield f"       {run.error_text}"


def _line(*values: object) -> str:
    return "  ".join(map(padded, values, COLUMN_WIDTHS))
