"""`migrate_performance`: copy performance_data into performance_records."""

from argparse import ArgumentParser

from django.utils.translation import gettext as _

from compat.copies import PERFORMANCE
from compat.copying import CopyCommand


class Command(CopyCommand):
    """Copies the legacy performance data."""

    copy = PERFORMANCE

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the description, in the language of the settings."""
        super().add_arguments(parser)
        parser.description = _(
            "Copy performance_data into performance_records: in batches, resumable, verified, reversible."
        )
