"""From findings to steps: what can be repaired, what blocks the rest, and in which order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from compat.structure.adoption import Adoption, is_eligible
from compat.structure.data_checks import DataChecks
from compat.structure.findings import Finding, Repair
from compat.structure.inspection import Inspection
from compat.structure.steps import NEEDS_REWRITE, Blocker, Key, Reason, Step

Place = tuple[str, str]
"""A table and a column."""


@dataclass(frozen=True)
class Proposal:
    """A repair with its steps, as if it were the only one."""

    repair: Repair
    steps: tuple[Step, ...]

    @property
    def key(self) -> Key:
        """What the finding is about."""
        return self.repair.finding.key

    @property
    def needs_rewrite(self) -> bool:
        """Whether only `--rewrite` allows it."""
        return any(step.needs_rewrite for step in self.steps)

    @property
    def place(self) -> Place | None:
        """The column that it replaces as a whole, None where it does not."""
        column = self.repair.finding.kind.inline_column(self.repair)
        return (self.repair.sides.name, column) if column else None


@dataclass(frozen=True)
class Repairs:
    """What a plan does with the findings.

    `proposals` are all eligible findings with steps. `steps` are to run, `rewriting_steps` would be added by
    `--rewrite`, and `blocked` says why other findings are not repaired.
    """

    proposals: Mapping[Key, Proposal]
    blocked: Mapping[Key, Blocker]
    steps: tuple[Step, ...]
    rewriting_steps: tuple[Step, ...]

    def conflicts(self) -> Mapping[Key, Blocker]:
        """Return the blockers of proposals that `--rewrite` would not remove."""
        found = ((key, blocker) for key, blocker in self.blocked.items() if key in self.proposals)
        return {key: blocker for key, blocker in found if blocker != NEEDS_REWRITE}

    def sql(self, key: Key) -> tuple[str, ...]:
        """Return the statements that repair a finding: of the plan, with `--rewrite`, or of this repair alone."""
        planned = self.steps if key not in self.blocked else self.rewriting_steps
        found = [step for step in planned if key in step.keys]
        steps = found or (combined([self.proposals[key]]) if key in self.proposals else [])
        return tuple(sql for step in steps for sql in step.sql)


def plan_repairs(inspection: Inspection, adoption: Adoption, checks: DataChecks, *, rewrite: bool) -> Repairs:
    """Plan the repairs of all findings that a repair may touch."""
    eligible = [inspection.repair(finding) for finding in inspection.findings if is_eligible(finding, adoption)]
    proposals, blocked = {}, {}
    for proposal in map(_proposal, eligible):
        if blocker := next((step.blocker for step in proposal.steps if step.blocker), None):
            blocked[proposal.key] = blocker
        elif not proposal.steps:
            blocked[proposal.key] = Blocker(Reason.NO_REPAIR)
        else:
            proposals[proposal.key] = proposal
    blocked |= find_blockers(tuple(proposals.values()), checks, rewrite=rewrite)
    allowed = [proposal for key, proposal in proposals.items() if key not in blocked]
    rewriting = [proposal for key, proposal in proposals.items() if key not in blocked or blocked[key] == NEEDS_REWRITE]
    extra = () if len(rewriting) == len(allowed) else combined(rewriting)
    return Repairs(proposals, blocked, combined(allowed), extra)


def _proposal(repair: Repair) -> Proposal:
    steps = (replace(step, keys=(repair.finding.key,)) for step in repair.finding.kind.steps(repair))
    return Proposal(repair, tuple(steps))


def combined(proposals: Iterable[Proposal]) -> tuple[Step, ...]:
    """Return the steps in order: by phase, and those that run outside the transaction last."""
    by_table: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        by_table.setdefault(proposal.repair.sides.name, []).append(proposal)
    steps = (step for group in by_table.values() for step in _combined_table(group))
    return tuple(sorted(steps, key=lambda step: (step.concurrent, step.phase)))


def _combined_table(proposals: list[Proposal]) -> Iterable[Step]:
    repair = proposals[0].repair
    steps = [step for proposal in proposals for step in proposal.steps]
    return repair.dialect.ddl.combine(repair.sides, steps)


def find_blockers(proposals: Iterable[Proposal], checks: DataChecks, *, rewrite: bool) -> Mapping[Key, Blocker]:
    """Return why repairs cannot run now: rows in conflict, a rewrite that is not allowed, another blocked repair."""
    proposals = tuple(proposals)
    found = _conflicts(proposals, checks, rewrite=rewrite)
    undecided = [proposal for proposal in proposals if found.get(proposal.key) in (None, NEEDS_REWRITE)]
    waiting = ((proposal.key, _missing_need(proposal, proposals, found)) for proposal in undecided)
    return found | {key: blocker for key, blocker in waiting if blocker}


def _conflicts(proposals: Iterable[Proposal], checks: DataChecks, *, rewrite: bool) -> dict[Key, Blocker]:
    """Return the blockers of each repair itself.

    A column that is replaced as a whole is repaired completely or not at all: one blocker holds for all of its
    repairs.
    """
    proposals = tuple(proposals)
    found: dict[Key, Blocker] = {}
    shared: dict[Place | None, Blocker] = {}
    for proposal in proposals:
        forbidden = proposal.needs_rewrite and not rewrite
        if forbidden:
            found[proposal.key] = NEEDS_REWRITE
            if proposal.repair.finding.kind.replaces_column:
                shared[proposal.place] = NEEDS_REWRITE
        blocker = checks.blocker(proposal.repair, will_run=not forbidden)
        if blocker:
            found[proposal.key] = shared[proposal.place] = blocker
    shared.pop(None, None)
    for proposal in proposals:
        if proposal.place in shared and found.get(proposal.key) in (None, NEEDS_REWRITE):
            found[proposal.key] = shared[proposal.place]
    return found


def _missing_need(proposal: Proposal, proposals: Iterable[Proposal], blocked: Mapping[Key, Blocker]) -> Blocker | None:
    """Return the blocker of a column that the repair needs: to be added, or to get another type."""
    kind = proposal.repair.finding.kind
    needed = {(table, column.casefold()) for table, column in kind.needs(proposal.repair)}
    if not needed:
        return None
    for (table, column), because in _unready_columns(proposals, blocked, with_types=kind.needs_type):
        if (table, column.casefold()) in needed:
            facts = {"column": column, "because": because}
            return because if because == NEEDS_REWRITE else Blocker(Reason.WAITS_FOR_COLUMN, facts)
    return None


def _unready_columns(
    proposals: Iterable[Proposal], blocked: Mapping[Key, Blocker], *, with_types: bool
) -> Iterator[tuple[Place, Blocker]]:
    """Yield the columns whose repair is blocked and prevents others: missing, or of a type that clashes."""
    for proposal in proposals:
        repair, finding = proposal.repair, proposal.repair.finding
        is_needed = finding.kind.adds_column or (with_types and _clashes(repair, finding))
        if finding.key in blocked and is_needed:
            yield (finding.table, str(finding.object)), blocked[finding.key]


def _clashes(repair: Repair, finding: Finding) -> bool:
    return finding.kind.replaces_column and repair.dialect.types.clash(str(finding.expected), str(finding.actual))
