"""What the engine remembers, in the target database: runs, the key ranges of a run, and rejected rows."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compat.copying.keys import stored_bounds
from compat.copying.reasons import Reason
from compat.copying.states import OPEN, State


class Request(models.TextChoices):
    """What a person may ask of a run, whoever owns it and wherever."""

    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("cancel")


class CopyRun(models.Model):
    """One pass over the source keys above `after_key` up to `upto_key`, which are fixed when it begins.

    Keys are stored as their key type writes them (see `key_types`); a NULL `after_key` is no lower bound.
    `offset` is what the copy's key strategy adds to a source key. The lease says who may write: `owner` until
    `lease_expires_at`; `token` counts the owners, and a checkpoint of a former one is refused.
    `request` is what somebody asks of the owner.
    """

    copy = models.CharField(max_length=100)
    source = models.CharField(max_length=100, help_text="database alias that the rows are read from")
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    after_key = models.JSONField(null=True)
    upto_key = models.JSONField()
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

    @property
    def bounds(self) -> tuple[object, object]:
        """The first and the last key as a person reads them."""
        return stored_bounds(self)


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
    """A part of a run's keys, above `after_key` up to `upto_key`; `done_key` is the checkpoint.

    Every row up to `done_key` is copied or rejected. `token` repeats the run's, so that a checkpoint
    touches this row alone and workers do not wait for each other.
    """

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="ranges")
    after_key = models.JSONField(null=True)
    upto_key = models.JSONField()
    done_key = models.JSONField(null=True)
    token = models.BigIntegerField(default=0)
    copied = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    batches = models.BigIntegerField(default=0)

    class Meta:
        db_table = "compat_copyrange"

    def __str__(self) -> str:
        return f"keys after {self.after_key} up to {self.upto_key} of run {self.run_id}, done {self.done_key}"


class RejectedRow(models.Model):
    """A source row that the target cannot hold, with the reasons and the row's values.

    `source_key` identifies the source row, as text for every type of keys; `source_pk` is the same for SQL where keys
    are integers. `reason` is the English text of `reasons`, which hold codes and facts (see `compat.copying.reasons`).
    """

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="rejects", verbose_name=_("run"))
    source_pk = models.BigIntegerField(_("source key"), null=True)
    source_key = models.CharField(_("source key"), max_length=255)
    reason = models.TextField(_("reason"))
    reasons = models.JSONField(_("reasons"), default=list, encoder=DjangoJSONEncoder)
    payload = models.JSONField(_("values"), encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("rejected at"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    class Meta:
        db_table = "compat_rejectedrow"
        constraints = [models.UniqueConstraint(fields=["run", "source_key"], name="compat_one_reject_per_row")]

    def __str__(self) -> str:
        return gettext("source row %(key)s: %(reason)s") % {"key": self.source_key, "reason": self.reason_text}

    @property
    def reason_text(self) -> str:
        """The reasons in the active language."""
        return "; ".join(str(Reason.from_json(stored)) for stored in self.reasons)
