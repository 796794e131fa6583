"""Why a verification or a repair gives no result."""


class StructureError(Exception):
    """Base of the errors of this package; the text says why, and what to do."""


class Unverifiable(StructureError):
    """The structure could not be read or compared."""


class RepairFailed(StructureError):
    """A repair could not be planned or applied; nothing was changed."""
