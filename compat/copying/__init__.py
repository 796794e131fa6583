"""The copy engine: copies the rows of one table to another, exactly once, verified and reversible.

Declare a `Copy`, subclass `CopyCommand`, or call the functions. Names are loaded when they are used, because Django
imports this package before its models are ready.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compat.copying.api import copy_rows, dry_run, retry_rejected, roll_back, verify_copy
    from compat.copying.declaration import Copy
    from compat.copying.functions import AwareDateTime, RunTimestamp
    from compat.copying.management.copycommand import CopyCommand
    from compat.copying.results import Result
    from compat.copying.runner.throttle import Limits

__all__ = [
    "AwareDateTime", "Copy", "CopyCommand", "Limits", "Result", "RunTimestamp", "copy_rows", "dry_run",
    "retry_rejected", "roll_back", "verify_copy",
]  # fmt: skip

_MODULES = {
    "AwareDateTime": "functions",
    "Copy": "declaration",
    "CopyCommand": "management.copycommand",
    "Limits": "runner.throttle",
    "Result": "results",
    "RunTimestamp": "functions",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'api')}"), name)
