"""App configuration of the drift engine."""

from django.apps import AppConfig


class StructureConfig(AppConfig):
    """The drift engine, label `compat_structure`; it has no models."""

    name = "compat.structure"
    label = "compat_structure"
    verbose_name = "Database structure"
