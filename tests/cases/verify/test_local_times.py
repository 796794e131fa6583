"""Kind 3: local times are read in the legacy time zone, by a repair as by a copy."""

import datetime
import json

import pytest

from tests.cases.verify.report import says


@pytest.fixture
def vendor():
    return "postgresql"


DEVICE = """
INSERT INTO devices (name, ip_address, created_at, updated_at) VALUES ('d', '10.0.0.1', '2024-07-01 12:00', now())
"""
LOCAL = {"timestamp": "timestamp", "Laravel's": "timestamp(0)", "Prisma's": "timestamp(3)"}


@pytest.mark.parametrize("kind", LOCAL.values(), ids=LOCAL)
def test_local_times_are_read_in_the_legacy_time_zone(project, kind, settings):
    settings.LEGACY_TIME_ZONE = "Europe/Berlin"
    project.execute(
        f"ALTER TABLE devices ALTER created_at TYPE {kind} USING NULL, ALTER updated_at TYPE {kind} USING NULL",
        "INSERT INTO devices (name, ip_address, created_at, updated_at) VALUES "
        "('d', '10.0.0.1', '2024-07-01 12:00', '2024-12-01 12:00')",
    )
    assert project.fix("--rewrite").code == 0
    (read,) = project.rows("SELECT created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' FROM devices")
    assert read == (datetime.datetime(2024, 7, 1, 10), datetime.datetime(2024, 12, 1, 11))  # noqa: DTZ001


def test_the_zone_comes_from_the_environment_too(project):
    project.execute(
        "ALTER TABLE devices ALTER created_at TYPE timestamp",
        DEVICE,
    )
    project.release()
    result = project.process("verify_structure", "--fix", "--rewrite", LEGACY_TIME_ZONE="Europe/Berlin")
    assert result.code == 0, result
    assert str(project.value("SELECT created_at AT TIME ZONE 'UTC' FROM devices")) == "2024-07-01 10:00:00"


def test_without_a_legacy_time_zone_the_finding_asks_for_it(project):
    project.execute(
        "ALTER TABLE devices ALTER created_at TYPE timestamp",
        DEVICE,
    )
    project.release()
    result = project.process("verify_structure", "--format=json")
    (issue,) = (issue for issue in json.loads(result.out)["issues"] if issue["object"] == "created_at")
    assert "LEGACY_TIME_ZONE" in says(issue)
