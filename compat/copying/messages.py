"""The texts of what is stored about runs: events, and the errors and reasons of runs."""

from django.utils.translation import gettext_lazy as _

from compat.copying.states import State
from compat.database.messages import Message, register_texts

__all__ = ["Message", "state_message"]

register_texts({f"state.{state}": state.label for state in State})
register_texts({
    # what a run does
    "started": _("started by %(owner)s: keys %(first)s to %(last)s, offset %(offset)s"),
    "resumed": _("%(state)s: %(owner)s holds the lease, the run was %(former)s"),
    "taken_over": _("%(state)s: %(owner)s holds the lease, taken over from %(former)s"),
    "process": _("process %(pid)s on %(host)s"),
    # how it ends
    "completed": _(
        "completed, %(copied)d rows copied, %(rejected)d rejected, %(batches)d batches, %(seconds).2f s, "
        "%(rate).0f rows/s"
    ),
    "different": _(
        "different, %(copied)d rows copied, %(rejected)d rejected, %(batches)d batches, %(seconds).2f s, "
        "%(rate).0f rows/s"
    ),
    "with_error": _("%(outcome)s. %(error)s"),
    "stopped": _("stopped, %(reason)s; run again to resume"),
    "failed": _("failed, no row is lost; run again to resume: %(error)s"),
    "rollback_incomplete": _("Rollback is incomplete (%(reason)s). Run --rollback to finish it."),
    "unfinished": _("%(state)s, not finished: %(reason)s"),
    "rolled_back": _("rolled back, %(rows)d rows deleted in %(seconds).2f s, kept: %(kept)s"),
    # why it stops
    "paused": _("paused on request"),
    "paused_by": _("paused by %(name)s"),
    "cancelled": _("cancelled on request"),
    "cancelled_by": _("cancelled by %(name)s"),
    "to_be_paused": _("pause requested, at the next batch border"),
    "to_be_paused_by": _("pause requested by %(name)s, at the next batch border"),
    "to_be_cancelled": _("cancellation requested, at the next batch border"),
    "to_be_cancelled_by": _("cancellation requested by %(name)s, at the next batch border"),
    "paused_after_failure": _("%(request)s; %(failure)s"),
    "lease_lost": _("another process took over the run"),
    "worker_failed": _("a worker failed: %(error)s"),
    "writers_remain": _(
        "Transactions that write to %(table)s are still open after %(seconds).0f s: %(writers)s. "
        "End them, then run again."
    ),
    # what verification and rollback find
    "verified_equal": _("verified, %(rows)d rows: source and target are equal"),
    "verified_different": _("verified, %(rows)d rows: source and target differ: %(differences)s"),
    "differ": _("Source and target differ: %(differences)s."),
    "missing_rows": _("%(rows)d missing (source keys %(keys)s)"),
    "extra_rows": _("%(rows)d extra (target keys %(keys)s)"),
    "changed_rows": _("%(rows)d changed (source keys %(keys)s)"),
    "referenced_rows": _("%(rows)d that other rows refer to"),
    "rows_kept": _("Rows that changed since the copy or that other rows refer to were kept: %(kept)s."),
    "violated": _(
        "Rows that other sessions wrote violate %(names)s. Correct them; verify_structure lists the constraints."
    ),
    "two_sentences": _("%(first)s %(second)s"),
    "none": _("none"),
    "list": "%(items)s",
})  # fmt: skip


def state_message(state: str) -> Message:
    """Return the name of a state as a message."""
    return Message(f"state.{state}")
