"""Repairs on SQLite: one statement where SQLite has one, else a part of one rebuild of the table."""

import re
from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from compat.structure.constraints import Constraint, PrimaryKey, Unique
from compat.structure.dialects.base import DDL, ManualRepair
from compat.structure.dialects.sqlite.rebuild import Rebuild, RebuildStep
from compat.structure.matching import Sides, counterpart, paired
from compat.structure.schema import Column, Table
from compat.structure.steps import Blocker, Lock, Phase, Reason, Step, Work

ALTER_TABLE_MANUAL = "https://sqlite.org/lang_altertable.html#otheralter"
CONSTANT = re.compile(r"^(?:'.*'|[-+]?[\d.]+|true|false)$", re.DOTALL)


class SQLiteDDL(DDL):
    """SQLite's ALTER TABLE can add columns of some kinds; everything else needs a rebuild."""

    def combine(self, sides: Sides, steps: Sequence[Step]) -> Sequence[Step]:
        """Return the steps with all parts of a rebuild made one; columns are added by it if there is one."""
        parts = tuple(step for step in steps if isinstance(step, RebuildStep))
        if all(part.sql for part in parts):
            return steps
        others = [step for step in steps if not isinstance(step, RebuildStep)]
        return [self._rebuild(sides, parts), *others]

    def create_table(self, name: str, sql: tuple[str, ...], phase: Phase) -> Step:
        return Step(name, sql, phase, Lock.DATABASE)

    def add_column(self, sides: Sides, column: Column, filler: str | None) -> Sequence[Step]:
        needs_filler = not column.nullable and column.default is None and not column.generated
        fillers = {column.name: filler or "NULL"} if needs_filler else {}
        sql = f"ALTER TABLE {self.table(sides.name)} ADD COLUMN {column.definition};"
        plain = (sql,) if _can_be_added(sides.expected, column) else ()
        return [self._part(sides, sql=plain, columns=frozenset((column.name,)), fillers=fillers)]

    def change_type(self, sides: Sides, column: Column) -> Sequence[Step]:
        return [self._column_part(sides, column, needs_rewrite=True)]

    def change_collation(self, sides: Sides, column: Column) -> Sequence[Step]:
        return [self._column_part(sides, column, needs_rewrite=True)]

    def change_nullability(self, sides: Sides, column: Column) -> Sequence[Step]:
        return [self._column_part(sides, column)]

    def set_default(self, sides: Sides, column: Column) -> Sequence[Step]:
        return [self._column_part(sides, column)] if column.default is not None else ()

    def restore_numbering(self, sides: Sides, column: Column) -> Sequence[Step]:
        return [self._column_part(sides, column, needs_rewrite=True)]

    def restore_constraint(self, sides: Sides, constraint: Constraint) -> Sequence[Step]:
        found = paired(sides.expected, sides.actual, constraint)
        if constraint.is_standalone:
            taken = any(other.name == constraint.name for other in sides.actual.constraints)
            if found or taken:
                return ()
            sql = (f"{constraint.definition};",)
            return [Step(sides.name, sql, Phase.CONSTRAINTS, lock=Lock.DATABASE, work=Work.SCAN)]
        if found is not None and found.signature != constraint.signature:
            return ()
        return [self._part(sides, constraints=(constraint,))]

    def move_away(self, sides: Sides) -> ManualRepair | None:
        drop = f"DROP {sides.actual.kind.upper()} {self.table(sides.name)};"
        return ManualRepair((drop,), _("%(sql)s then verify_structure --fix"))

    def drop_column(self, sides: Sides, column: str) -> ManualRepair | None:
        return ManualRepair((self._drop(sides, column),), _("%(sql)s It drops the values of the column."))

    def regenerate(self, sides: Sides, column: Column | None, name: str) -> ManualRepair | None:
        text = _("%(sql)s then verify_structure --fix, which computes its values again")
        return ManualRepair((self._drop(sides, name),), text)

    def rename_column(self, sides: Sides, old: str, new: str) -> ManualRepair | None:
        rename = f"ALTER TABLE {self.table(sides.name)} RENAME COLUMN {self.quote(old)} TO {self.quote(new)};"
        text = _("%(sql)s if it was renamed. If not: %(drop)s then verify_structure --fix")
        return ManualRepair((rename,), text, {"drop": self._drop(sides, old)})

    def replace_constraint(self, sides: Sides, constraint: Constraint) -> ManualRepair | None:
        found = counterpart(sides.expected, sides.actual, constraint)
        if found is None:
            return None
        if found.is_standalone:
            return ManualRepair((f"DROP INDEX {self.quote(found.name)};", f"{constraint.definition};"))
        text = _("rebuild %(table)s (%(manual)s) with %(wanted)s instead of %(found)s")
        facts = {"wanted": constraint.definition, "found": found.definition, "manual": ALTER_TABLE_MANUAL}
        return ManualRepair((), text, {"table": self.table(sides.name), **facts})

    def _drop(self, sides: Sides, column: str) -> str:
        return f"ALTER TABLE {self.table(sides.name)} DROP COLUMN {self.quote(column)};"

    def _column_part(self, sides: Sides, column: Column, *, needs_rewrite: bool = False) -> Step:
        return self._part(sides, needs_rewrite=needs_rewrite, columns=frozenset((column.name,)))

    def _part(
        self,
        sides: Sides,
        *,
        sql: tuple[str, ...] = (),
        needs_rewrite: bool = False,
        columns: frozenset[str] = frozenset(),
        constraints: tuple[Constraint, ...] = (),
        fillers: dict[str, str] | None = None,
    ) -> RebuildStep:
        dependents = sides.actual.dependents
        blocker = Blocker(Reason.DEPENDENT_OBJECTS, {"dependents": dependents}) if dependents and not sql else None
        return RebuildStep(
            sides.name,
            sql,
            lock=Lock.DATABASE,
            work=Work.CATALOG if sql else Work.REWRITE,
            needs_rewrite=needs_rewrite,
            blocker=blocker,
            columns=columns,
            constraints=constraints,
            fillers=fillers or {},
        )

    def _rebuild(self, sides: Sides, parts: Sequence[RebuildStep]) -> Step:
        rebuild = Rebuild(sides.expected, sides.actual, tuple(parts), self.quote, self.literal)
        keys = tuple(dict.fromkeys(key for part in parts for key in part.keys))
        needs_rewrite = any(part.needs_rewrite for part in parts)
        step = Step(sides.name, tuple(rebuild.statements()), lock=Lock.DATABASE, work=Work.REWRITE, keys=keys)
        return replace(step, needs_rewrite=needs_rewrite)


def _can_be_added(expected: Table, column: Column) -> bool:
    """Whether ALTER TABLE can add the column: nullable, without a computed default, a stored value or a key."""
    is_key = any(
        item.inline_column and isinstance(item, PrimaryKey | Unique) and column.name.casefold() in item.columns
        for item in expected.constraints
    )
    has_constant_default = column.default is None or CONSTANT.match(column.default)
    is_stored = bool(column.generated) and str(column.generated).endswith("STORED")
    return column.nullable and bool(has_constant_default) and not is_stored and not is_key
