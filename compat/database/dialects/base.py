"""The interface of a dialect."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from compat.database.errors import Failure


class Dialect(ABC):
    """One database through one connection."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def failure(self, error: BaseException) -> Failure:
        """Return why a statement failed; OTHER for errors that do not come from this database."""
        if (found := self.failure_of_code(error)) is not None:
            return found
        if isinstance(error, DataError | IntegrityError):
            return Failure.ROW
        from_driver = isinstance(error.__cause__, self.connection.Database.Error)  # type: ignore[attr-defined]
        if from_driver and isinstance(error, OperationalError | InterfaceError):
            return self.failure_without_code
        return Failure.OTHER

    failure_without_code = Failure.OTHER
    """What an operational error without a code means."""

    @abstractmethod
    def failure_of_code(self, error: BaseException) -> Failure | None:
        """Return what the error code of the server says; None for an error without a known code."""

    @abstractmethod
    def repair_lock(self) -> AbstractContextManager[Callable[[], bool]]:
        """Prepare the lock of repairs for the block and give a function that tries to take it.

        The lock is released at the end of the block and when the process dies. Every dialect must have one:
        two repairs at once could apply the same statements twice.
        """


def causes(error: BaseException) -> list[BaseException]:
    """Return the error and the driver's error that Django wrapped in it."""
    return (
        [error, error.__cause__] if isinstance(error, DatabaseError | InterfaceError) and error.__cause__ else [error]
    )
