"""The declaration of a copy: source model, target model, and target field → ORM expression over the source."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import NOT_PROVIDED, F, Field, IntegerField, Model, TextField, Value
from django.db.models.expressions import BaseExpression, Col, Combinable
from django.db.models.functions import Cast
from django.db.models.sql import Query
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.copying.errors import DeclarationError
from compat.copying.functions import AwareDateTime, RunTimestamp
from compat.copying.keys import KeyStrategy, key_problems, strategy_of


@dataclass(frozen=True, eq=False)
class Copy:
    """A copy of the rows of `source` into `target`.

    `values` maps a target field to an expression that the source's database evaluates. A nullable field may be left
    out and stays NULL. The key is not among the values: the target key is the source key plus an offset.

    `parents` are copied first when the rows come from another database. With `keep_keys` a row keeps its key, and a row
    whose key is in the target already is left alone, as parents need it.
    """

    name: str
    source: type[Model]
    target: type[Model]
    values: Mapping[str, Combinable | BaseExpression]
    parents: tuple["Copy", ...] = ()
    keep_keys: bool = False

    @cached_property
    def fields(self) -> list[tuple["Field[Any, Any]", Combinable | BaseExpression]]:
        """The target fields with their expressions, without the key.

        Raises DeclarationError with every problem when the declaration does not fit the models.
        """
        problems = list(self._problems())
        if problems:
            raise DeclarationError(self.name, problems)
        given = {self._target_field(name): expression for name, expression in self.values.items()}
        empty = {field: Cast(Value(None), field) for field in self._without_value() if field.null}
        return list((given | empty).items())

    @staticmethod
    def is_constant(expression: Any) -> bool:
        """Tell whether an expression has the same value in every row of a run."""
        if isinstance(expression, F):
            return False
        return all(isinstance(part, RunTimestamp | Value | Cast) for part in expression.flatten())

    def keys(self, offset: int = 0) -> KeyStrategy:
        """Return the strategy by which a run with this offset gives keys to target rows."""
        return strategy_of(self.source, offset, keep=self.keep_keys)

    @property
    def zones(self) -> set[str]:
        """The names of the time zones in which the copy reads dates and times that name none."""
        return {part.zone_name for part in self._parts() if isinstance(part, AwareDateTime)}

    @property
    def source_key(self) -> str:
        """The column of the source's primary key."""
        return _key(self.source).column

    @cached_property
    def source_columns(self) -> list[str]:
        """The source columns that the copy reads, with the key first."""
        columns = [part.target.column for part in self._parts() if isinstance(part, Col)]
        return list(dict.fromkeys([self.source_key, *columns]))

    @property
    def target_key(self) -> str:
        """The column of the target's primary key."""
        return _key(self.target).column

    def _parts(self) -> Iterator[Any]:
        """Yield the expressions of the values and all parts of them."""
        values: Iterable[Any] = self.values.values()
        for value in values:
            yield from value.resolve_expression(Query(self.source)).flatten()

    def _target_field(self, name: str) -> "Field[Any, Any]":
        return self.target._meta.get_field(name)  # type: ignore[return-value]

    def _problems(self) -> Iterator[str]:
        yield from key_problems(self.source, self.target, keep=self.keep_keys)
        for name, expression in self.values.items():
            yield from self._value_problems(name, expression)
        if self.keep_keys and not any(isinstance(value, RunTimestamp) for value in self.values.values()):
            yield _("A copy that keeps keys must give a field RunTimestamp(), by which a rollback finds its rows.")
        for field in self._without_value():
            if not field.null:
                yield _("%(field)s must not be NULL and has no value.") % {"field": field}

    def _without_value(self) -> "Iterator[Field[Any, Any]]":
        """Yield the fields that get a value neither from the declaration nor from the database."""
        for field in self.target._meta.concrete_fields:
            has_value = {field.name, field.attname} & set(self.values) or field.primary_key or field.generated
            if not has_value and field.db_default is NOT_PROVIDED:
                yield field

    def _value_problems(self, name: str, expression: Any) -> Iterator[str]:
        try:
            field = self._target_field(name)
        except FieldDoesNotExist:
            yield _("%(model)s has no field %(name)r.") % {"model": self.target._meta.label, "name": name}
            return
        if not field.concrete or field.primary_key or field.generated:
            yield _("%(field)s cannot be given a value.") % {"field": field}
            return
        if not hasattr(expression, "resolve_expression"):
            text = _("%(field)s: %(value)r is not an expression. Write Value(%(value)r).")
            yield text % {"field": field, "value": expression}
            return
        try:
            resolved = expression.resolve_expression(Query(self.source))
        except FieldError as error:
            yield f"{field}: {error}"
            return
        if {part.alias for part in resolved.flatten() if isinstance(part, Col)} - {self.source._meta.db_table}:
            text = _("%(field)s: %(value)r reads another table; a copy reads the columns of %(model)s.")
            yield text % {"field": field, "value": expression, "model": self.source._meta.label}
        given, wanted = _storage(resolved), _storage_of(field)
        if given and given != wanted and (given, wanted) != ("integers", "numbers"):
            text = _("%(field)s holds %(wanted)s, its expression gives %(given)s.")
            yield text % {
                "field": field,
                "wanted": KIND_LABELS.get(wanted, wanted),
                "given": KIND_LABELS.get(given, given),
            }


def _key(model: type[Model]) -> "Field[Any, Any]":
    return model._meta.pk


def _storage(expression: Any) -> str | None:
    """Return the kind of value that an expression gives, or None if only the database knows it."""
    field = getattr(expression, "_output_field_or_none", None)
    return _storage_of(field) if field is not None else None


def _storage_of(field: "Field[Any, Any]") -> str:
    while field.remote_field is not None and hasattr(field, "target_field"):
        field = field.target_field
    internal = field.get_internal_type()
    if isinstance(field, IntegerField):
        return "integers"
    if isinstance(field, TextField) or internal in TEXT_FIELDS:
        return "text"
    return KINDS.get(internal, internal)


TEXT_FIELDS = {"CharField", "SlugField", "FileField", "FilePathField"}
KINDS = {
    "FloatField": "numbers",
    "DecimalField": "numbers",
    "DateTimeField": "dates and times",
    "DateField": "dates",
    "TimeField": "times",
    "BooleanField": "truth values",
}
KIND_LABELS = {
    "integers": gettext_lazy("integers"),
    "text": gettext_lazy("text"),
    "numbers": gettext_lazy("numbers"),
    "dates and times": gettext_lazy("dates and times"),
    "dates": gettext_lazy("dates"),
    "times": gettext_lazy("times"),
    "truth values": gettext_lazy("truth values"),
}
