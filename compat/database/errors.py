"""Why a database statement failed, as a small enum that both engines act on."""

from enum import StrEnum

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _


class Failure(StrEnum):
    """The reason of a database error."""

    LOCK_TIMEOUT = "lock_timeout"
    """Another session held a lock for too long."""
    STATEMENT_TIMEOUT = "statement_timeout"
    """The statement was cancelled because it took too long."""
    CONFLICT = "conflict"
    """A deadlock or a serialization failure."""
    CONNECTION = "connection"
    """The connection was lost or refused."""
    RESOURCES = "resources"
    """The server ran out of disk, memory or connections, or its storage failed."""
    READ_ONLY = "read_only"
    """The session, the server or the file is read-only."""
    PERMISSION = "permission"
    """The role lacks a privilege."""
    ROW = "row"
    """The values of a row were refused: a constraint, a type or a trigger."""
    OTHER = "other"
    """Anything else, such as a syntax error."""

    @property
    def is_timeout(self) -> bool:
        """Whether the statement waited or ran for too long."""
        return self in {Failure.LOCK_TIMEOUT, Failure.STATEMENT_TIMEOUT}

    @property
    def is_transient(self) -> bool:
        """Whether the same statement may succeed when it is tried again."""
        return self.is_timeout or self in {Failure.CONFLICT, Failure.CONNECTION, Failure.RESOURCES}


class UnsupportedDatabase(Exception):
    """No dialect exists for the vendor of a connection."""

    def __init__(self, connection: BaseDatabaseWrapper, supported: str) -> None:
        text = _("%(database)s is not supported. Supported databases: %(supported)s.")
        super().__init__(text % {"database": connection.display_name, "supported": supported})


class RepairBusy(Exception):
    """Another process repairs the same database."""

    def __init__(self, alias: str, seconds: float) -> None:
        text = _(
            "Another repair of the database %(alias)s has run for %(seconds).0f s. Run this again when it is done."
        )
        super().__init__(text % {"alias": alias, "seconds": seconds})


class StopRequested(Exception):
    """A stop was requested while an operation waited."""
