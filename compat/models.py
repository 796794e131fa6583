"""The models of CSMS: devices, device types, performance records, thresholds, and the legacy performance data.

Both timestamps also have a default in the database, so that an application that does not know these columns
can still insert rows.
"""

from django.contrib.contenttypes.models import ContentType
from django.core.validators import validate_ipv46_address
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compat.copying.models import CopyRun, RejectedRow


class TimestampedModel(models.Model):
    """A row with the times of its creation and its last change."""

    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(_("updated at"), auto_now=True, db_default=Now())

    class Meta:
        abstract = True


class DeviceType(TimestampedModel):
    """A type of device, such as a server or a switch."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    description = models.CharField(_("description"), max_length=200, null=True, blank=True)  # legacy rows hold NULL

    class Meta:
        db_table = "device_types"
        verbose_name = _("device type")
        verbose_name_plural = _("device types")

    def __str__(self) -> str:
        return self.name


class Device(TimestampedModel):
    """A monitored device."""

    name = models.CharField(_("name"), max_length=100)
    ip_address = models.CharField(_("IP address"), max_length=45, unique=True, validators=[validate_ipv46_address])
    device_type = models.ForeignKey(
        DeviceType, models.PROTECT, null=True, blank=True, verbose_name=_("device type")
    )  # fmt: skip

    class Meta:
        db_table = "devices"
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return f"{self.name} ({self.ip_address})"


class PerformanceRecord(TimestampedModel):
    """One reading of a device: CPU and memory in percent, bandwidth in the unit that the device reports."""

    device = models.ForeignKey(Device, models.PROTECT, db_index=False, verbose_name=_("device"))
    cpu_usage = models.FloatField(_("CPU usage"), null=True, blank=True)
    memory_usage = models.FloatField(_("memory usage"), null=True, blank=True)
    bandwidth_usage = models.FloatField(_("bandwidth usage"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        db_table = "performance_records"
        verbose_name = _("performance record")
        verbose_name_plural = _("performance records")
        indexes = [models.Index(fields=["device", "recorded_at"], name="perf_rec_device_recorded_idx")]

    def __str__(self) -> str:
        moment = f"{self.recorded_at:%Y-%m-%d %H:%M:%S}"
        return gettext("%(device)s at %(moment)s") % {"device": self.device_id, "moment": moment}


class Threshold(TimestampedModel):
    """The values of a metric at which a device, or each device of a type, becomes warning or critical."""

    class Metric(models.TextChoices):
        """The metrics of a performance record."""

        CPU = "cpu_usage", _("CPU usage")
        MEMORY = "memory_usage", _("memory usage")
        BANDWIDTH = "bandwidth_usage", _("bandwidth usage")

    device = models.ForeignKey(Device, models.CASCADE, null=True, blank=True, verbose_name=_("device"))
    device_type = models.ForeignKey(
        DeviceType, models.CASCADE, null=True, blank=True, verbose_name=_("device type")
    )  # fmt: skip
    metric = models.CharField(_("metric"), max_length=32, choices=Metric)
    warning = models.FloatField(_("warning"))
    critical = models.FloatField(_("critical"))

    class Meta:
        db_table = "thresholds"
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")

    def __str__(self) -> str:
        return f"{self.metric}: {self.warning} / {self.critical}"


class PerformanceData(models.Model):
    """A legacy reading. The table belongs to the earlier application and is never written."""

    device = models.ForeignKey(Device, models.DO_NOTHING, db_constraint=False, related_name="+")
    cpu_usage = models.FloatField(null=True)
    memory_usage = models.FloatField(null=True)
    timestamp = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "performance_data"
        verbose_name = _("legacy reading")
        verbose_name_plural = _("legacy readings")

    def __str__(self) -> str:
        return gettext("legacy reading %(key)s") % {"key": self.pk}


class Structure(ContentType):
    """The structure of the database in the admin: permissions without a table."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("repair_structure", "Can apply safe repairs to the structure")]
        verbose_name = _("structure")
        verbose_name_plural = _("structure")


class Run(CopyRun):
    """A run in the admin."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [
            ("operate_run", "Can start, pause, resume, cancel and verify runs"),
            ("roll_back_run", "Can roll back runs"),
        ]
        verbose_name = _("run")
        verbose_name_plural = _("runs")


class Reject(RejectedRow):
    """A rejected row in the admin."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("retry_reject", "Can retry rejected rows")]
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
