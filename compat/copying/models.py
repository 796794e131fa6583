"""The bookkeeping of copies in the target database: runs, their key ranges and events, and rejected rows."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compat.copying.keys import stored_bounds
from compat.copying.messages import Message
from compat.copying.reasons import Reason
from compat.copying.states import OPEN, Phase, State


class Request(models.TextChoices):
    """What a person may ask of a run; the process that holds its lease may be on another machine."""

    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("cancel")


class CopyRun(models.Model):
    """One pass over the source keys above `after_key` up to `upto_key`, which are fixed when it starts.

    Keys are stored as their key type writes them (see `key_types`); a NULL `after_key` is no lower bound.
    `offset` is what the key strategy of the copy adds to a source key. `owner` is the process that holds the lease,
    up to `lease_expires_at`. `token` is the fencing token: each new holder increases it, and a checkpoint with an
    older token is refused. `request` is what a person asks of the holder; `phase` is what the holder is doing.
    """

    copy = models.CharField(max_length=100)
    source = models.CharField(max_length=100, help_text="database alias that the rows are read from")
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    after_key = models.JSONField(null=True)
    upto_key = models.JSONField()
    offset = models.BigIntegerField()
    timestamp = models.DateTimeField(help_text="the value of RunTimestamp() in the rows of this run")
    owner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    token = models.BigIntegerField(default=0)
    request = models.CharField(max_length=10, choices=Request, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    samples = models.JSONField(default=list, help_text="seconds of work with the rows and batches done by then")
    verified = models.BooleanField(null=True)
    differences = models.JSONField(null=True)
    deferred_indexes = models.JSONField(default=list, help_text="SQL that restores the indexes that the run deferred")
    phase = models.CharField(max_length=20, choices=Phase, blank=True, db_default="", default="")
    error = models.TextField(blank=True, help_text="what an older release wrote instead of the error message")
    error_message = models.JSONField(null=True, help_text="why the run stopped or what is wrong, as code and facts")

    class Meta:
        db_table = "compat_copyrun"
        constraints = [
            models.UniqueConstraint(fields=["copy"], condition=models.Q(state__in=OPEN), name="compat_one_open_run"),
        ]

    def __str__(self) -> str:
        facts = {"run": self.pk, "copy": self.copy, "state": self.get_state_display()}
        return gettext("run %(run)s of %(copy)s, %(state)s") % facts

    @property
    def error_text(self) -> str:
        """Why the run stopped or what is wrong with it, in the active language; empty when nothing is."""
        return self.error or (str(Message.from_json(self.error_message)) if self.error_message else "")

    @property
    def bounds(self) -> tuple[object, object]:
        """The first and the last key as a person reads them."""
        return stored_bounds(self)


class CopyEvent(models.Model):
    """An event of a run: a change of its state, a request, the outcome of a verification."""

    run = models.ForeignKey(CopyRun, models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=10)
    code = models.CharField(max_length=40, db_default="", default="")
    facts = models.JSONField(null=True)
    text = models.TextField(blank=True, help_text="what an older release wrote instead of code and facts")

    class Meta:
        db_table = "compat_copyevent"

    def __str__(self) -> str:
        return f"{self.level}: {self.message}"

    @property
    def message(self) -> str:
        """What happened, in the active language."""
        return str(Message.from_json({"code": self.code, "facts": self.facts})) if self.code else self.text


class CopyRange(models.Model):
    """A part of the keys of a run, above `after_key` up to `upto_key`; `done_key` is the checkpoint.

    Every row up to `done_key` is copied or rejected. `token` repeats the token of the run, so that a checkpoint
    updates this row alone and workers do not wait for each other.
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
