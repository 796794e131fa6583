"""What the engine remembers, in the target database: runs, the key ranges of a run, and rejected rows."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compat.copying.states import OPEN, State


class Request(models.TextChoices):
    """What a person may ask of a run, whoever owns it and wherever."""

    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("cancel")


class CopyRun(models.Model):
    """One pass over the source keys from `first_key` to `last_key`, frozen when it began.

    A row's target key is its source key plus `offset`. The lease says who may write: `owner` until
    `lease_expires_at`; `token` counts the owners, and a checkpoint of a former one is refused.
    `request` is what somebody asks of the owner.
    """

    copy = models.CharField(max_length=100)
    source = models.CharField(max_length=100, help_text="database alias that the rows are read from")
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    first_key = models.BigIntegerField()
    last_key = models.BigIntegerField()
    offset = models.BigIntegerField()
    timestamp = models.DateTimeField(help_text="the instant that rows of this run carry as their own creation")
    owner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    token = models.BigIntegerField(default=0)
    request = models.CharField(max_length=10, choices=Request, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    samples = models.JSONField(default=list, help_text="seconds of work, rows and batches over by then, for a picture")
    verified = models.BooleanField(null=True)
    differences = models.JSONField(null=True)
    deferred_indexes = models.JSONField(default=list, help_text="SQL that restores the indexes that the run deferred")
    error = models.TextField(blank=True)

    class Meta:
        db_table = "compat_copyrun"
        constraints = [
            models.UniqueConstraint(fields=["copy"], condition=models.Q(state__in=OPEN), name="compat_one_open_run"),
        ]

    def __str__(self) -> str:
        facts = {"run": self.pk, "copy": self.copy, "state": self.get_state_display()}
        return gettext("run %(run)s of %(copy)s, %(state)s") % facts


class CopyEvent(models.Model):
    """What happened to a run, for a person: a change of its state, a request, what a comparison found."""

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=10)
    text = models.TextField()

    class Meta:
        db_table = "compat_copyevent"

    def __str__(self) -> str:
        return f"{self.level}: {self.text}"


class CopyRange(models.Model):
    """A part of a run's keys, from `first_key` to `last_key`; `next_key` is the checkpoint.

    Everything below `next_key` is over or rejected. `token` repeats the run's, so that a checkpoint
    touches this row alone and workers do not wait for each other.
    """

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="ranges")
    first_key = models.BigIntegerField()
    last_key = models.BigIntegerField()
    next_key = models.BigIntegerField()
    token = models.BigIntegerField(default=0)
    copied = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    batches = models.BigIntegerField(default=0)

    class Meta:
        db_table = "compat_copyrange"

    def __str__(self) -> str:
        return f"keys {self.first_key} to {self.last_key} of run {self.run_id}, next {self.next_key}"


class RejectedRow(models.Model):
    """A source row that the target cannot hold, with the reason and the row's values."""

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="rejects", verbose_name=_("run"))
    source_pk = models.BigIntegerField(_("source key"))
    reason = models.TextField(_("reason"))
    payload = models.JSONField(_("values"), encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("rejected at"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    class Meta:
        db_table = "compat_rejectedrow"
        constraints = [models.UniqueConstraint(fields=["run", "source_pk"], name="compat_one_reject_per_row")]

    def __str__(self) -> str:
        return gettext("source row %(key)s: %(reason)s") % {"key": self.source_pk, "reason": self.reason}
