"""App configuration of the drift engine."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class StructureConfig(AppConfig):
    """The drift engine, label `compat_structure`; it has no models."""

    name = "compat.structure"
    label = "compat_structure"
    verbose_name = _("Database structure")

    def ready(self) -> None:
        """Register the database checks, which run only for databases that are named."""
        from compat.structure.checks import check_structure

        checks.register(check_structure, checks.Tags.database)
