"""Results as text for a person."""

from collections.abc import Iterable, Iterator

from django.core.management.color import Style

from compat.copying import ledger, results
from compat.copying.models import CopyRun
from compat.copying.results import Result

HEADLINES = {
    results.COMPLETED: "Copied and proven equal.",
    results.NOTHING_TO_DO: "Nothing to do.",
    results.STOPPED: "Stopped at a batch border. Run again to resume.",
    results.FAILED: "Failed. Nothing is lost: run again to resume.",
    results.ROLLED_BACK: "Rolled back.",
    results.DRY_RUN: "Dry run: nothing was changed.",
    results.VERIFIED: "Source and target are equal.",
    results.DIFFERENT: "Source and target differ.",
}
LABELS = {
    results.DRY_RUN: ("to copy", "to reject", "estimate"),
    results.ROLLED_BACK: ("taken back", "rejected", "time"),
}
CLOCKS = {"skipped": "were skipped by the clocks of their zone", "ambiguous": "were shown twice by the clocks"}


def summary(result: Result, style: Style) -> str:
    """Return a headline, the counts and what to do next."""
    paint = style.SUCCESS if result.exit_code == 0 else style.ERROR if result.exit_code == 1 else style.WARNING
    return "\n".join([paint(HEADLINES[result.status]), *_details(result)])


def _details(result: Result) -> Iterator[str]:
    copied, rejected, seconds = LABELS.get(result.status, ("copied", "rejected", "time"))
    if result.run is not None:
        yield f"  {'run':<12} {result.run}"
    if result.status != results.ROLLED_BACK:
        yield f"  {'source':<12} {result.source_rows:,} rows"
    yield f"  {copied:<12} {result.copied:,} rows"
    if result.rejected:
        yield f"  {rejected:<12} {result.rejected:,} rows"
    if result.batches:
        yield f"  {'batches':<12} {result.batches:,}"
    if result.seconds:
        yield f"  {seconds:<12} {result.seconds:.2f} s, {result.rows_per_second:,.0f} rows/s"
    yield from _remarks(result)


def _remarks(result: Result) -> Iterator[str]:
    for kind, rows in result.local_times.items():
        if rows:
            yield f"  {rows:,} local times {CLOCKS[kind]} and were read with the smaller UTC offset"
    if result.error:
        yield f"  {result.error}"
    if result.rejected and result.status == results.COMPLETED:
        yield "  The table compat_rejectedrow holds the rejected rows with reason and values."
        yield "  Mend them in the source, then run again with --retry-rejected."


def run_lines(runs: Iterable[CopyRun], using: str) -> Iterator[str]:
    """Yield a heading and a line for each run."""
    yield f"{'run':>5}  {'state':<12} {'keys':<23} {'copied':>12} {'rejected':>9} {'seconds':>8}  verified  started"
    for run in runs:
        done = ledger.totals(run, using)
        keys = f"{run.first_key} to {run.last_key}"
        verified = {True: "yes", False: "no", None: "-"}[run.verified]
        yield (
            f"{run.pk:>5}  {run.state:<12} {keys:<23} {done.copied:>12,} {done.rejected:>9,} {run.seconds:>8.1f}  "
            f"{verified:<8}  {run.started_at:%Y-%m-%d %H:%M:%S}" + (f"\n       {run.error}" if run.error else "")
        )
