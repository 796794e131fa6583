"""What can keep a copy from starting or going on; every message says what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _


class CopyError(Exception):
    """Base of the errors that are meant for the person who runs a copy."""


class Blocked(CopyError):
    """The copy cannot start; nothing was changed."""


class Overtaken(Blocked):
    """Another process changed the run between a look at it and the lock on it."""

    def __init__(self, run_id: int) -> None:
        super().__init__(_("Another process has just changed run %(run)d. See it with --status.") % {"run": run_id})


class LeaseLost(CopyError):
    """Another process took the run over; the open batch was rolled back."""

    def __init__(self, run_id: int) -> None:
        text = _("Run %(run)d was taken over by another process. See who runs it with --status.")
        super().__init__(text % {"run": run_id})


class WritersRemain(CopyError):
    """Transactions that may still commit rows into the copied range stayed open."""


class ForbiddenTransition(CopyError):
    """A run was asked to go from one state to another that does not follow it."""

    def __init__(self, former: str | Promise, new: str | Promise) -> None:
        text = _("A run that is %(former)s cannot become %(new)s. See the runs with --status.")
        super().__init__(text % {"former": former, "new": new})


class DeclarationError(CopyError):
    """A copy's declaration does not fit its models; lists every problem."""

    def __init__(self, name: str, problems: list[str]) -> None:
        text = _("The copy %(name)r is declared wrongly: %(problems)s")
        super().__init__(text % {"name": name, "problems": " ".join(problems)})
