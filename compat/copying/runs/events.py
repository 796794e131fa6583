"""Events of runs: a row for each, and a record of the log in English."""

import logging
from functools import partial

from django.db import transaction

from compat.copying.messages import Message
from compat.copying.models import CopyEvent, CopyRun

logger = logging.getLogger("compat.copying.events")


def record(run: CopyRun, using: str, level: int, message: Message) -> None:
    """Store an event in the open transaction, and log it when that transaction commits."""
    CopyEvent.objects.using(using).create(
        run_id=run.pk, level=logging.getLevelName(level).lower(), code=message.code, facts=message.as_json()["facts"]
    )
    transaction.on_commit(partial(log, run, level, message), using=using)


def log(run: CopyRun, level: int, message: Message) -> None:
    """Log an event that is not stored, or that is stored now."""
    logger.log(level, "run %d: %s", run.pk, message.in_english(), extra={"run": run.pk})
