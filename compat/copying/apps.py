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
        """Prepare every new connection for what dialects need on it."""
        from compat.copying.dialects import prepare_connection

        connection_created.connect(prepare_connection, dispatch_uid="compat_copying_connections")
