"""A declaration that does not fit its models is explained."""

import re

import pytest
from django.db.models import F, Value

from compat.copies import PERFORMANCE
from compat.copying.declaration import Copy
from compat.copying.errors import DeclarationError
from compat.copying.functions import RunTimestamp
from compat.models import Device, PerformanceData, PerformanceRecord

GOOD = dict(PERFORMANCE.values)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (GOOD | {"colour": F("id")}, "PerformanceRecord has no field 'colour'"),
        (GOOD | {"cpu_usage": F("cpu_load")}, "Cannot resolve keyword 'cpu_load'"),
        (GOOD | {"cpu_usage": F("timestamp")}, "cpu_usage holds numbers, its expression gives dates and times"),
        (GOOD | {"cpu_usage": F("device__device_type_id")}, "reads another table"),
        (GOOD | {"id": F("id")}, "cannot be given a value"),
        ({name: value for name, value in GOOD.items() if name != "recorded_at"}, "recorded_at must not be NULL"),
    ],
)
def test_a_wrong_declaration_names_its_problem(values, problem):
    with pytest.raises(DeclarationError, match=re.escape(problem)):
        Copy("wrong", PerformanceData, PerformanceRecord, values).fields  # noqa: B018 the property checks


def test_a_copy_that_keeps_keys_must_know_its_rows():
    values = {"name": F("name"), "ip_address": F("ip_address"), "created_at": Value(None)}
    with pytest.raises(DeclarationError, match="RunTimestamp"):
        Copy("wrong", Device, Device, values, keep_keys=True).fields  # noqa: B018 the property checks


def test_every_problem_is_named_at_once():
    values = GOOD | {"colour": F("id"), "shape": RunTimestamp()}
    with pytest.raises(DeclarationError, match=r"colour.*shape"):
        Copy("wrong", PerformanceData, PerformanceRecord, values).fields  # noqa: B018 the property checks
