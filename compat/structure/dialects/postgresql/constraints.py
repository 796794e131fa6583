"""Repairs of constraints and indexes on PostgreSQL, as the server wrote down those of the scratch table."""

import re
from collections.abc import Sequence

from compat.structure.constraints import Check, Constraint, Exclusion, ForeignKey, Index, PrimaryKey, Unique
from compat.structure.dialects.postgresql.columns import ColumnDDL
from compat.structure.matching import Sides, counterpart
from compat.structure.steps import Lock, Phase, Step, Work

REFERENCES = re.compile(r' REFERENCES (?:"(?:[^"]|"")+"|[^\s("]+)\(')


class ConstraintDDL(ColumnDDL):
    """The statements for constraints and indexes."""

    def restore_constraint(self, sides: Sides, constraint: Constraint) -> Sequence[Step]:
        found = counterpart(sides.expected, sides.actual, constraint)
        if found is None and self.is_large(sides):
            return self._create_beside_writers(sides, constraint)
        if found is None:
            return [self._step(sides, constraint, self.create(sides, constraint))]
        sql = self._repair_state(sides, constraint, found) if found.signature == constraint.signature else ()
        return [self._step(sides, constraint, *sql, concurrent=self.is_large(sides))] if sql else ()

    def create(self, sides: Sides, constraint: Constraint) -> str:
        """Return the statement that creates a constraint or index as the scratch table has it."""
        table, name = self.table(sides.name), self.quote(constraint.name)
        if constraint.is_standalone:
            unique = "UNIQUE " if isinstance(constraint, Unique) else ""
            return f"CREATE {unique}INDEX {name} ON {table} USING {constraint.definition.split(' USING ', 1)[1]};"
        definition = constraint.definition
        if isinstance(constraint, ForeignKey):  # in the scratch schema, the key is the name
            target = self.table(constraint.target_table)
            if "." in target:
                definition = REFERENCES.sub(lambda _: f" REFERENCES {target}(", definition, count=1)
        return f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"

    def _step(self, sides: Sides, constraint: Constraint, *sql: str, concurrent: bool = False) -> Step:
        if isinstance(constraint, ForeignKey):
            phase, lock = Phase.REFERENCES, Lock.SHARE_ROW_EXCLUSIVE
        else:
            is_index = isinstance(constraint, Index) or constraint.is_standalone
            phase, lock = Phase.CONSTRAINTS, Lock.SHARE if is_index else Lock.ACCESS_EXCLUSIVE
        if concurrent:
            lock = Lock.SHARE_UPDATE_EXCLUSIVE
        return Step(sides.name, sql, phase, lock, Work.SCAN, concurrent=concurrent)

    def _create_beside_writers(self, sides: Sides, constraint: Constraint) -> Sequence[Step]:
        """Create a constraint or index of a large table without blocking writers while its rows are read."""
        sql, name, table = self.create(sides, constraint), self.quote(constraint.name), self.table(sides.name)
        if isinstance(constraint, ForeignKey | Check):
            add, validate = f"{sql.removesuffix(';')} NOT VALID;", f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
            lock = Lock.SHARE_ROW_EXCLUSIVE if isinstance(constraint, ForeignKey) else Lock.ACCESS_EXCLUSIVE
            return (
                Step(sides.name, (add,), Phase.REFERENCES, lock),
                Step(
                    sides.name, (validate,), Phase.REFERENCES, Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN, concurrent=True
                ),
            )
        if constraint.is_standalone:
            build = sql.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
            return (self._step(sides, constraint, build, concurrent=True),)
        if isinstance(constraint, Exclusion) or any(constraint.meaning().values()):
            return (self._step(sides, constraint, sql),)
        kind = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
        columns, timing = self.quote(*constraint.columns), constraint.state().get("timing", "")
        build = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns});"
        adopt = f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name} {timing}".strip() + ";"
        return (self._step(sides, constraint, build, adopt, concurrent=True),)

    def _repair_state(self, sides: Sides, wanted: Constraint, found: Constraint) -> tuple[str, ...]:
        table, name = self.table(sides.name), self.quote(found.name)
        alter = f"ALTER TABLE {table} ALTER CONSTRAINT {name}"
        validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
        if isinstance(wanted, Unique) and isinstance(found, Unique) and wanted.is_index != found.is_index:
            is_plain = not wanted.is_index and not any(found.meaning().values())
            return (f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};",) if is_plain else ()
        if isinstance(found, Unique | Index):
            concurrently = "CONCURRENTLY " if self.is_large(sides) else ""
            return () if found.valid else (f"REINDEX INDEX {concurrently}{name};",)
        if isinstance(found, Check):
            return (validate,) if found.enforced and not found.validated else ()
        if not isinstance(wanted, ForeignKey) or not isinstance(found, ForeignKey):
            return ()
        sql = list(found.enabling)
        sql += [] if found.enforced else [f"{alter} ENFORCED;"]
        sql += [validate] if found.enforced and not found.validated else []
        sql += [f"{alter} {wanted.deferrable or 'NOT DEFERRABLE'};"] if found.deferrable != wanted.deferrable else []
        return tuple(sql)
