"""The copied fields and the columns of the projection.

Its columns have names of the engine, by position, which no column of a model can meet: `source_key`, `target_key` and
`value_<number>` for each copied field. Every statement selects from it under the name `projected`.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Field

from compat.copying.declaration import Copy

SOURCE_KEY, TARGET_KEY = "source_key", "target_key"


@dataclass(frozen=True)
class ProjectedField:
    """A copied field of the target, with its expression over the source and its column of the projection."""

    number: int
    field: "Field[Any, Any]"
    expression: Any
    is_constant: bool

    @property
    def alias(self) -> str:
        """The column of its value."""
        return f"value_{self.number}"

    @property
    def raw_alias(self) -> str:
        """The column of its value in the neutral form."""
        return f"raw_{self.number}"

    @property
    def value(self) -> str:
        """SQL of its value in statements that select from the projection."""
        return f"projected.{self.alias}"

    @property
    def raw(self) -> str:
        """SQL of its value in the neutral form."""
        return f"projected.{self.raw_alias}"


def projected_fields(copy: Copy) -> list[ProjectedField]:
    """Return the copied fields of the target, the key excepted."""
    return [
        ProjectedField(number, field, expression, copy.is_constant(expression))
        for number, (field, expression) in enumerate(copy.fields)
    ]
