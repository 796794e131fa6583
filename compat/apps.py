"""App configuration of CSMS."""

from django.apps import AppConfig


class CompatConfig(AppConfig):
    """The CSMS app, label `compat`."""

    name = "compat"
    verbose_name = "CSMS"

    def ready(self) -> None:
        """Arm the start-up hook, which uses the database only when this process serves."""
        from compat.startup import hook

        hook.startup.arm()
