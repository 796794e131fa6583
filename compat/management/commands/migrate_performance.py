"""`migrate_performance`: copy performance_data into performance_records."""

from compat.copies import PERFORMANCE
from compat.copying.management.copycommand import CopyCommand


class Command(CopyCommand):
    """Copies the legacy performance data."""

    help = "Copy performance_data into performance_records: in batches, resumable, proven, reversible."
    copy = PERFORMANCE
