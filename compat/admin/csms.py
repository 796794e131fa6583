"""The CSMS models in the admin, fast with millions of records."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from compat.models import Device, DeviceType, PerformanceRecord, Threshold

MAX_COUNTED_ROWS = 10_000
"""Rows that a list counts and pages through; filters lead to the others."""

admin.site.site_header = admin.site.site_title = "CSMS"


class CappedPaginator(Paginator):
    """Counts at most `MAX_COUNTED_ROWS` rows, because counting a large table reads all of it."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most `MAX_COUNTED_ROWS`."""
        rows: Any = self.object_list
        return int(rows.order_by()[:MAX_COUNTED_ROWS].count())


@admin.register(DeviceType)
class DeviceTypeAdmin(admin.ModelAdmin):
    """Device types."""

    list_display = ["name", "description"]
    search_fields = ["name"]


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):
    """Devices. A device with records cannot be deleted; this check does not load the records."""

    list_display = ["name", "ip_address", "device_type", "created_at"]
    list_filter = ["device_type"]
    list_select_related = ["device_type"]
    search_fields = ["name", "ip_address"]
    autocomplete_fields = ["device_type"]

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Return what the deletion of devices would delete, without loading their records."""
        keys = [device.pk for device in objs]
        holding = PerformanceRecord.objects.filter(device__in=keys).order_by().values_list("device", flat=True)
        if holding[:1]:
            return [], {}, set(), [_("performance records of these devices")]
        return super().get_deleted_objects(objs, request)


@admin.register(PerformanceRecord)
class PerformanceRecordAdmin(admin.ModelAdmin):
    """Performance records, newest first; records of one device are read through the index."""

    list_display = ["recorded_at", "device", "cpu_usage", "memory_usage", "bandwidth_usage"]
    list_select_related = ["device"]
    autocomplete_fields = ["device"]
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Order by the key, or by the time in a list of one device; both have an index."""
        return ["-recorded_at"] if "device__id__exact" in request.GET else ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PerformanceRecord]:
        """Return the records with their devices."""
        return super().get_queryset(request).select_related("device")


@admin.register(Threshold)
class ThresholdAdmin(admin.ModelAdmin):
    """Thresholds of devices and of device types."""

    list_display = ["metric", "device", "device_type", "warning", "critical"]
    list_filter = ["metric", "device_type"]
    list_select_related = ["device", "device_type"]
    autocomplete_fields = ["device", "device_type"]
