"""The copies of CSMS."""

from django.db.models import F

from compat.copying.declaration import Copy
from compat.copying.functions import AwareDateTime, RunTimestamp
from compat.models import PerformanceData, PerformanceRecord

PERFORMANCE = Copy(
    name="performance",
    source=PerformanceData,
    target=PerformanceRecord,
    values={
        "device": F("device_id"),
        "cpu_usage": F("cpu_usage"),
        "memory_usage": F("memory_usage"),
        "recorded_at": AwareDateTime("timestamp"),
        "created_at": RunTimestamp(),
        "updated_at": RunTimestamp(),
    },
)
