"""The names of the product that the cases use; nothing else in this folder imports the product."""

from compat.copies import PERFORMANCE
from compat.copying.declaration import Copy
from compat.copying.functions import AwareDateTime, RunTimestamp
from compat.copying.management.copycommand import CopyCommand

__all__ = ["PERFORMANCE", "AwareDateTime", "Copy", "CopyCommand", "RunTimestamp", "command"]


def command(copy):
    """Return the three-line management command of a declared copy."""
    return type("Command", (CopyCommand,), {"copy": copy, "__module__": __name__})()
