"""Repairs on PostgreSQL that are not about one column or constraint, and what to run manually."""

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from compat.structure.constraints import Constraint
from compat.structure.dialects.base import ManualRepair
from compat.structure.dialects.postgresql import session
from compat.structure.dialects.postgresql.constraints import ConstraintDDL
from compat.structure.matching import Sides, counterpart
from compat.structure.names import schema_and_table
from compat.structure.schema import Column
from compat.structure.steps import Step, Work


class PostgreSQLDDL(ConstraintDDL):
    """All repairs."""

    def combine(self, sides: Sides, steps: Sequence[Step]) -> Sequence[Step]:
        seconds = session.REPAIR_LOCK_TIMEOUT_SECONDS
        return [step if step.concurrent else replace(step, lock_timeout_seconds=seconds) for step in steps]

    def set_logged(self, sides: Sides) -> Sequence[Step]:
        sql = f"ALTER TABLE {self.table(sides.name)} SET LOGGED;"
        return [Step(sides.name, (sql,), work=Work.REWRITE, needs_rewrite=True)]

    def move_away(self, sides: Sides) -> ManualRepair | None:
        old = self.quote(f"{schema_and_table(sides.name)[1]}_old")
        rename = f"ALTER {sides.actual.kind.upper()} {self.table(sides.name)} RENAME TO {old};"
        return ManualRepair((rename,), _("%(sql)s then verify_structure --fix"))

    def drop_column(self, sides: Sides, column: str) -> ManualRepair | None:
        """Return the statement that lets the column take NULL, which is enough for inserts to succeed."""
        return ManualRepair((f"ALTER TABLE {self.table(sides.name)} ALTER COLUMN {self.quote(column)} DROP NOT NULL;",))

    def regenerate(self, sides: Sides, column: Column | None, name: str) -> ManualRepair | None:
        if column is None or column.generated is None:
            alter = f"ALTER TABLE {self.table(sides.name)} ALTER COLUMN {self.quote(name)} DROP EXPRESSION;"
            return ManualRepair((alter,))
        text = _("%(sql)s then verify_structure --fix --rewrite, which computes its values again")
        return ManualRepair((self._drop_column(sides, name),), text)

    def rename_column(self, sides: Sides, old: str, new: str) -> ManualRepair | None:
        rename = f"ALTER TABLE {self.table(sides.name)} RENAME COLUMN {self.quote(old)} TO {self.quote(new)};"
        text = _("%(sql)s if it was renamed. If not: %(drop)s then verify_structure --fix")
        return ManualRepair((rename,), text, {"drop": self._drop_column(sides, old)})

    def replace_constraint(self, sides: Sides, constraint: Constraint) -> ManualRepair | None:
        found = counterpart(sides.expected, sides.actual, constraint)
        if found is None:
            return None
        create, drop = self.create(sides, constraint), self._drop_constraint(sides, found)
        alter = f"ALTER TABLE {self.table(sides.name)} "
        if create.startswith(alter) and drop.startswith(alter):
            return ManualRepair((f"{drop}, {create.removeprefix(alter)}",))
        return ManualRepair((f"{drop};", create))

    def drop_constraint(self, sides: Sides, constraint: Constraint) -> ManualRepair | None:
        return ManualRepair((f"{self._drop_constraint(sides, constraint)};",))

    def open_rows(self, sides: Sides) -> ManualRepair | None:
        table = self.table(sides.name)
        disable, create = f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;", f"CREATE POLICY … ON {table} …;"
        return ManualRepair((disable,), _("%(create)s or %(sql)s"), {"create": create})

    def _drop_column(self, sides: Sides, column: str) -> str:
        return f"ALTER TABLE {self.table(sides.name)} DROP COLUMN {self.quote(column)};"

    def _drop_constraint(self, sides: Sides, constraint: Constraint) -> str:
        if not constraint.is_standalone:
            return f"ALTER TABLE {self.table(sides.name)} DROP CONSTRAINT {self.quote(constraint.name)}"
        schema = schema_and_table(sides.name)[0]
        name = self.table(f"{schema}.{constraint.name}") if schema else self.quote(constraint.name)
        return f"DROP INDEX {name}"
