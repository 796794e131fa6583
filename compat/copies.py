"""The copies of CSMS."""

from django.db.models import F

from compat.copying import AwareDateTime, Copy, RunTimestamp
from compat.models import Device, DeviceType, PerformanceData, PerformanceRecord

TIMESTAMPS = {"created_at": RunTimestamp(), "updated_at": RunTimestamp()}
"""All rows of a run are created and last changed at the timestamp of the run."""

DEVICE_TYPES = Copy(
    name="device_types",
    source=DeviceType,
    target=DeviceType,
    keep_keys=True,
    values={
        "name": F("name"),
        "description": F("description"),
        **TIMESTAMPS,
    },
)
DEVICES = Copy(
    name="devices",
    source=Device,
    target=Device,
    keep_keys=True,
    values={
        "name": F("name"),
        "ip_address": F("ip_address"),
        **TIMESTAMPS,
    },
)
PERFORMANCE = Copy(
    name="performance",
    source=PerformanceData,
    target=PerformanceRecord,
    parents=(DEVICE_TYPES, DEVICES),
    values={
        "device": F("device_id"),
        "cpu_usage": F("cpu_usage"),
        "memory_usage": F("memory_usage"),
        "recorded_at": AwareDateTime("timestamp"),
        **TIMESTAMPS,
    },
)

COPIES = {copy.name: copy for copy in (DEVICE_TYPES, DEVICES, PERFORMANCE)}
"""All copies by name, parents first."""
