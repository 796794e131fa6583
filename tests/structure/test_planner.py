"""What is planned, in which order, and what blocks the rest: without a database."""

from types import SimpleNamespace

from django.db import connections

from compat.structure.comparison import compare_table
from compat.structure.constraints import Check, ForeignKey, Index
from compat.structure.data_checks import DataChecks
from compat.structure.dialects.postgresql.ddl import PostgreSQLDDL
from compat.structure.findings import Repair
from compat.structure.planner import Proposal, combined, find_blockers
from compat.structure.schema import Column
from compat.structure.steps import NEEDS_REWRITE, Blocker, Lock, Phase, Reason, Work
from tests.structure.tables import TYPES, sides, table

NAME = Column("name", "character varying(9)", nullable=True)
AGE = Column("age", "integer", nullable=True)
PARENT = ForeignKey("fk", ("age",), "FOREIGN KEY (age) REFERENCES p(id)", target_table="p", target_columns=("id",))
CONFLICT = Blocker(Reason.DATA_CONFLICT, {"conflict": "x"})


class OneSchemaDDL(PostgreSQLDDL):
    """Statements for a search path with one schema, without a server."""

    def _schema(self, key):
        return ""


DIALECT = SimpleNamespace(ddl=OneSchemaDDL(connections["default"]), types=TYPES)


class Answers(DataChecks):
    """Data checks with given results."""

    def __init__(self, **conflicts):
        super().__init__(thorough=True)
        self.conflicts = conflicts

    def blocker(self, repair, *, will_run):
        return self.conflicts.get(repair.finding.object)


def proposals(expected, actual):
    """Return the repairs of all findings of a table that have steps."""
    both = sides(expected, actual)
    for finding in compare_table(both):
        repair = Repair(finding, both, DIALECT, dict)
        if steps := tuple(finding.kind.steps(repair)):
            yield Proposal(repair, steps)


def blocked(expected, actual, *, rewrite=False, **conflicts):
    """Return the reasons by object."""
    found = find_blockers(tuple(proposals(expected, actual)), Answers(**conflicts), rewrite=rewrite)
    return {key[2]: blocker.reason for key, blocker in found.items()}


def test_columns_come_before_indexes_and_foreign_keys_last():
    index = Index("i", ("age",), "CREATE INDEX i ON t USING btree (age)")
    expected = table("id", AGE, constraints=(PARENT, index))
    steps = combined(proposals(expected, table("id")))
    assert [step.phase for step in steps] == [Phase.COLUMNS, Phase.CONSTRAINTS, Phase.REFERENCES]
    assert steps[0].sql == ('ALTER TABLE "t" ADD COLUMN "age" integer;',)


def test_what_runs_outside_the_transaction_comes_last(settings):
    settings.COMPAT_STRUCTURE_LARGE_TABLE = 0
    check = Check("c", (), "CHECK ((age > 0))", clause="CHECK ((age > 0))", condition="(age > 0)")
    steps = combined(proposals(table("age", NAME, constraints=(check,)), table("age")))
    assert [step.concurrent for step in steps] == [False, False, True]
    assert "VALIDATE" in steps[-1].sql[0]


def test_a_rewrite_must_be_allowed():
    actual = table(Column("age", "text", nullable=True))
    assert blocked(table(AGE), actual) == {"age": Reason.NEEDS_REWRITE}
    assert blocked(table(AGE), actual, rewrite=True) == {}


def test_rows_in_conflict_weigh_more_than_the_rewrite():
    actual = table(Column("age", "text", nullable=True))
    assert blocked(table(AGE), actual, age=CONFLICT) == {"age": Reason.DATA_CONFLICT}


def test_a_constraint_waits_for_its_missing_column():
    expected = table("id", AGE, constraints=(PARENT,))
    assert blocked(expected, table("id"), age=CONFLICT) == {
        "age": Reason.DATA_CONFLICT,
        "fk": Reason.WAITS_FOR_COLUMN,
    }


def test_a_constraint_waits_for_the_type_of_its_column():
    actual = table(Column("age", "text", nullable=True))
    assert blocked(table(AGE, constraints=(PARENT,)), actual) == {
        "age": Reason.NEEDS_REWRITE,
        "fk": Reason.NEEDS_REWRITE,
    }


def test_an_index_does_not_wait_for_a_type():
    index = Index("i", ("age",), "CREATE INDEX i ON t USING btree (age)")
    actual = table(Column("age", "text", nullable=True))
    assert blocked(table(AGE, constraints=(index,)), actual) == {"age": Reason.NEEDS_REWRITE}


def test_a_blocker_renders_its_facts_when_it_is_shown():
    waiting = Blocker(Reason.WAITS_FOR_COLUMN, {"column": "age", "because": NEEDS_REWRITE})
    assert str(waiting) == f"Repair the column age first: {NEEDS_REWRITE}"


def test_a_step_says_what_it_does_to_traffic():
    (step,) = combined(proposals(table(AGE), table(Column("age", "text", nullable=True))))
    assert (step.lock, step.work, step.needs_rewrite) == (Lock.ACCESS_EXCLUSIVE, Work.REWRITE, True)
