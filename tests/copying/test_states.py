"""The states of a run and what may follow each of them."""

import pytest

from compat.copying.errors import ForbiddenTransition
from compat.copying.states import MEANINGS, OPEN, RESUMABLE, TRANSITIONS, Phase, State, check_transition
from tests.databases import ROOT

DOCS = (ROOT / "docs" / "operations.md").read_text().partition("## States of a run")[2].partition("\n## ")[0]


def test_every_open_run_can_be_rolled_back():
    assert all(State.ROLLING_BACK in TRANSITIONS[state] for state in OPEN)


def test_every_resumable_run_can_run_and_be_rolled_back():
    assert all(TRANSITIONS[state] >= {State.RUNNING, State.ROLLING_BACK} for state in RESUMABLE)


def test_a_rollback_ends_in_nothing_but_rolled_back():
    assert TRANSITIONS[State.ROLLING_BACK] == {State.ROLLING_BACK, State.ROLLED_BACK}
    assert TRANSITIONS[State.ROLLED_BACK] == frozenset()


@pytest.mark.parametrize(("former", "new"), [("completed", State.PAUSED), ("rolled_back", State.RUNNING)])
def test_a_forbidden_transition_names_both_states(former, new):
    with pytest.raises(ForbiddenTransition, match=f"that is {State(former).label} cannot become {new.label}"):
        check_transition(former, new)


def test_the_documented_states_are_those_of_the_table():
    follow = {state: ", ".join(f"`{s}`" for s in State if s in TRANSITIONS[state] - {state}) for state in State}
    rows = [f"| `{state}` | {MEANINGS[state]} | {follow[state] or 'nothing'} |" for state in State]
    assert DOCS.split("| --- | --- | --- |\n")[1].split("\n\n")[0].strip().splitlines() == rows


def test_the_documented_phases_are_those_of_a_run_in_order():
    held = [phase for phase in Phase if phase not in {Phase.PREFLIGHT, Phase.RESERVE}]
    assert ", ".join(f"`{phase}`" for phase in held) in DOCS
