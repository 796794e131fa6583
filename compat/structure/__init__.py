"""Find and repair the differences between a database and the models of a project.

`verify` compares, `plan` says what a repair would do, `apply` does it, and `repair` does both under one lock. The
names are loaded when they are used, because apps are imported before models are ready.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compat.structure.errors import RepairFailed, StructureError, Unverifiable
    from compat.structure.execution import apply, repair
    from compat.structure.findings import Cause, Finding, Kind, Severity
    from compat.structure.kinds import KINDS
    from compat.structure.plans import Plan
    from compat.structure.report import Report
    from compat.structure.steps import Blocker, Lock, Phase, Reason, Step, Work
    from compat.structure.verification import plan, verify

__all__ = [
    "KINDS",
    "Blocker",
    "Cause",
    "Finding",
    "Kind",
    "Lock",
    "Phase",
    "Plan",
    "Reason",
    "RepairFailed",
    "Report",
    "Severity",
    "Step",
    "StructureError",
    "Unverifiable",
    "Work",
    "apply",
    "plan",
    "repair",
    "verify",
]

MODULES = {
    "execution": ("apply", "repair"),
    "errors": ("RepairFailed", "StructureError", "Unverifiable"),
    "findings": ("Cause", "Finding", "Kind", "Severity"),
    "kinds": ("KINDS",),
    "plans": ("Plan",),
    "report": ("Report",),
    "steps": ("Blocker", "Lock", "Phase", "Reason", "Step", "Work"),
    "verification": ("plan", "verify"),
}


def __getattr__(name: str) -> Any:
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
