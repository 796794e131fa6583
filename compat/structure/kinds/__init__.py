"""The kinds of findings, one module each; every module of this package with a kind is a part of a verification."""

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules

from compat.structure.findings import Kind


def _load() -> dict[str, Kind]:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    classes = _concrete(Kind)  # type: ignore[type-abstract]
    kinds = sorted((cls() for cls in classes), key=lambda kind: kind.number)
    assert len({kind.number for kind in kinds}) == len(kinds), "two kinds have the same number"  # noqa: S101
    return {kind.name: kind for kind in kinds}


def _concrete(cls: type[Kind]) -> list[type[Kind]]:
    nested = [found for child in cls.__subclasses__() for found in _concrete(child)]
    return [cls, *nested] if "name" in vars(cls) and not isabstract(cls) else nested


KINDS = _load()
"""All kinds by name, in the order of their numbers."""

CODES = tuple(kind.code(severity) for kind in KINDS.values() for severity in kind.documentation)
"""Every code that a finding can have."""
