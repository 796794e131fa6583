"""App configuration of the copy engine."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class CopyingConfig(AppConfig):
    """The copy engine, label `compat_copying`."""

    name = "compat.copying"
    label = "compat_copying"
    verbose_name = _("Copying")

    def ready(self) -> None:
        """Give every SQLite connection the functions that declarations use."""
        from compat.copying.functions import register

        connection_created.connect(register, dispatch_uid="compat_copying_functions")
