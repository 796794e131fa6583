"""App configuration of CSMS."""

from django.apps import AppConfig


class CompatConfig(AppConfig):
    """The CSMS app, label `compat`."""

    name = "compat"
    verbose_name = "CSMS"
