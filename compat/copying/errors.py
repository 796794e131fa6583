"""Errors that keep a copy from starting or from going on; every message says what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _


class CopyError(Exception):
    """Base of the errors that are meant for the person who runs a copy."""


class Blocked(CopyError):
    """The copy cannot start; nothing was changed."""


class Overtaken(Blocked):
    """Another process changed the run after it was read and before it was locked."""

    def __init__(self, run_id: int) -> None:
        super().__init__(_("Another process has just changed run %(run)d. Look at it with --status.") % {"run": run_id})


class LeaseLost(CopyError):
    """Another process took over the run; the open batch was rolled back."""

    def __init__(self, run_id: int) -> None:
        text = _("Another process took over run %(run)d. --status shows which one.")
        super().__init__(text % {"run": run_id})


class WritersRemain(CopyError):
    """Transactions that may still commit rows into the copied range stayed open for too long."""


class ForbiddenTransition(CopyError):
    """A run cannot go from its state to the requested one."""

    def __init__(self, former: str | Promise, new: str | Promise) -> None:
        text = _("A run that is %(former)s cannot become %(new)s. --status lists the runs.")
        super().__init__(text % {"former": former, "new": new})


class DeclarationError(CopyError):
    """The declaration of a copy does not fit its models; the message lists every problem."""

    def __init__(self, name: str, problems: list[str]) -> None:
        text = _("The copy %(name)r is declared wrongly: %(problems)s")
        super().__init__(text % {"name": name, "problems": " ".join(problems)})
