"""What happened to a run: one row and one event of the log for each change of its state."""

import logging
from functools import partial

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import override

from compat.copying.models import CopyEvent, CopyRun

logger = logging.getLogger(__name__)


def record(run: CopyRun, using: str, level: int, text: str | Promise) -> None:
    """Write an event down in the open transaction, and log it in English when that commits."""
    CopyEvent.objects.using(using).create(run_id=run.pk, level=logging.getLevelName(level).lower(), text=str(text))
    transaction.on_commit(partial(_log, run.pk, level, in_english(text)), using=using)


def in_english(text: object) -> str:
    """Write a text for the log, whatever the language of the process."""
    with override(None):
        return str(text)


def _log(run_id: int, level: int, text: str) -> None:
    logger.log(level, "run %d: %s", run_id, text, extra={"run": run_id})
