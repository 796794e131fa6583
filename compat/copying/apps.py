"""App configuration of the copy engine."""

from django.apps import AppConfig


class CopyingConfig(AppConfig):
    """The copy engine, label `compat_copying`."""

    name = "compat.copying"
    label = "compat_copying"
    verbose_name = "Copying"
