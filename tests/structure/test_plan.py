"""A plan is a value: it shows what a repair will do, and nothing else is applied."""

import pytest
from django.db import connection

from compat.structure import Plan, Reason, RepairFailed, apply, plan, verify
from tests.structure.conftest import execute


def test_a_plan_is_applied_as_it_was_shown(torture):
    execute("DROP INDEX line_amount_price", "DROP INDEX line_one_a")
    planned = plan()
    assert isinstance(planned, Plan)
    assert [issue.object for issue in planned.report.issues if issue.fixable] == ["line_one_a", "line_amount_price"]
    assert verify().status == "drift"
    report = apply(planned)
    assert (report.status, report.statements) == ("ok", planned.statements)


def test_a_plan_is_refused_when_other_steps_are_needed(torture):
    execute("DROP INDEX line_amount_price")
    planned = plan()
    execute("DROP INDEX line_one_a")
    with pytest.raises(RepairFailed, match="has changed since the repair was planned"):
        apply(planned)
    assert len([issue for issue in verify().issues if issue.counts]) == 2


def test_a_plan_without_work_left_does_nothing(torture):
    execute("DROP INDEX line_amount_price")
    planned = plan()
    assert apply(planned).status == "ok"
    assert apply(planned).statements == ()


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_plan_says_what_blocks_a_repair(torture):
    execute("ALTER TABLE torture_everyfield ALTER ticks TYPE text")
    key = ("type", "torture_everyfield", "ticks")
    assert plan().blocked[key].reason is Reason.NEEDS_REWRITE
    execute("UPDATE torture_everyfield SET ticks = 'many'")
    assert plan(rewrite=True).blocked[key].reason is Reason.CANNOT_CONVERT
    assert plan(rewrite=True).steps == ()


def test_a_database_that_cannot_roll_back_ddl_is_refused(torture, monkeypatch):
    execute("DROP INDEX line_amount_price")
    monkeypatch.setattr(connection.features, "can_rollback_ddl", False)
    with pytest.raises(RepairFailed, match="cannot roll back a change of the structure"):
        apply(plan())
    assert verify().status == "drift"
