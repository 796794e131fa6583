"""The plan of a repair, as a value: a report shows it, a dry run prints it, a repair executes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from compat.structure.report import Report
from compat.structure.steps import Blocker, Key, Step


@dataclass(frozen=True)
class Plan:
    """What a repair does, in order, and why it does not do the rest.

    Before the steps, `--fix` runs the migrations of apps without tables that depend on no other app to repair;
    afterwards those of the others. `migrations_before` and `migrations_after` are their SQL.
    """

    using: str
    labels: tuple[str, ...]
    rewrite: bool
    report: Report
    steps: tuple[Step, ...] = ()
    blocked: Mapping[Key, Blocker] = field(default_factory=dict)
    migrations_before: tuple[str, ...] = ()
    migrations_after: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """All SQL in the order in which it runs."""
        steps = (sql for step in self.steps for sql in step.sql)
        return (*self.migrations_before, *steps, *self.migrations_after)
