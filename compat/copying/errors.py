"""What can keep a copy from starting or going on; every message says what to do."""


class CopyError(Exception):
    """Base of the errors that are meant for the person who runs a copy."""


class Blocked(CopyError):
    """The copy cannot start; nothing was changed."""


class LeaseLost(CopyError):
    """Another process took the run over; the open batch was rolled back."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"Run {run_id} was taken over by another process. See who runs it with --status.")


class WritersRemain(CopyError):
    """Transactions that may still commit rows into the copied range stayed open."""


class StopRequested(CopyError):
    """A stop was asked for while an error was waited out."""


class ForbiddenTransition(CopyError):
    """A run was asked to go from one state to another that does not follow it."""

    def __init__(self, former: str, new: str) -> None:
        super().__init__(f"A run that is {former} cannot become {new}. See the runs with --status.")


class DeclarationError(CopyError):
    """A copy's declaration does not fit its models; lists every problem."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"The copy {name!r} is declared wrongly: {' '.join(problems)}")
