"""The runner: it keeps the lease of a run, works through the phases, and records how the run ends."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, Error
from django.utils import timezone

from compat.copying.errors import CopyError, LeaseLost, WritersRemain
from compat.copying.job import Job
from compat.copying.messages import Message
from compat.copying.models import CopyRun
from compat.copying.results import Result
from compat.copying.runner import outcome, phases
from compat.copying.runner.work import Work
from compat.copying.runs.heartbeat import heartbeat
from compat.copying.signals import announce
from compat.copying.states import Phase
from compat.database.errors import StopRequested

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Procedure:
    """Phases in their order, and the outcome that follows the last of them."""

    steps: phases.Steps
    finish: Callable[[Work], Result]


COPY = Procedure(phases.COPY, outcome.completed)
RETRY_REJECTED = Procedure(phases.RETRY_REJECTED, outcome.completed)
ROLL_BACK = Procedure(phases.ROLL_BACK, outcome.rolled_back)


class Runner:
    """Works on a run whose lease this process has just acquired."""

    def __init__(self, job: Job, run: CopyRun, procedure: Procedure) -> None:
        self.work, self.procedure = Work(job, run), procedure

    def run(self) -> Result:
        """Work through the phases and return how the run ended; errors of the database are an outcome, too."""
        job, run, since = self.work.job, self.work.run, timezone.now()
        with heartbeat(run, job.using, job.stop):
            result = self._outcome()
        announce(job, run, result, since)
        return result

    def _outcome(self) -> Result:
        try:
            for phase, step in self.procedure.steps:
                self._enter(phase)
                step(self.work)
            return self.procedure.finish(self.work)
        except (StopRequested, WritersRemain) as error:
            return outcome.stopped(self.work, Message.of(error))
        except LeaseLost as error:
            return outcome.lease_lost(self.work, error)
        except (DatabaseError, Error, CopyError) as error:
            return outcome.failed(self.work, Message.of(error))
        finally:
            self.work.job.progress.end()

    def _enter(self, phase: Phase) -> None:
        """Store the phase in the run. Raises StopRequested after a stop request, and LeaseLost."""
        job, run = self.work.job, self.work.run
        job.check_stop()
        logger.debug("run %d: phase %s", run.pk, phase)
        held = CopyRun.objects.using(job.using).filter(pk=run.pk, token=run.token)
        if not job.retrying(lambda: held.update(phase=phase), f"run {run.pk}, entering phase {phase}"):
            raise LeaseLost(run.pk)
