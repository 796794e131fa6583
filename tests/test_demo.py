"""The demonstration runs the real commands on a new database and changes no other."""

import itertools
import random
import sqlite3
from contextlib import closing

import pytest

from compat import demo
from tests.databases import manage

pytestmark = pytest.mark.slow


def test_the_demonstration_copies_every_reading(tmp_path):
    other, file = tmp_path / "other.sqlite3", tmp_path / "demo.sqlite3"
    result = manage("demo", "--keep", str(file), url=f"sqlite:///{other}", check=0)
    assert not other.exists()
    assert "Traceback" not in result.stdout + result.stderr
    assert "manage.py migrate_performance --retry-rejected" in result.stdout
    with closing(sqlite3.connect(file)) as connection:
        [(copied, equal)] = connection.execute(
            "SELECT count(*), sum(r.device_id = d.device_id AND r.cpu_usage IS d.cpu_usage AND r.memory_usage IS "
            "d.memory_usage) FROM performance_data d JOIN performance_records r ON r.id = d.id"
        )
        [(rejected,)] = connection.execute("SELECT count(*) FROM compat_rejectedrow")
    assert copied == equal == demo.READINGS
    assert rejected > 0
    manage("verify_structure", url=f"sqlite:///{file}", check=0)


def test_an_existing_file_is_refused(tmp_path):
    file = tmp_path / "precious.sqlite3"
    file.write_text("precious")
    result = manage("demo", "--keep", str(file), url=f"sqlite:///{tmp_path / 'other.sqlite3'}", check=2)
    assert "already exists" in result.stderr
    assert file.read_text() == "precious"


def test_the_readings_are_always_the_same():
    first, second = (list(itertools.islice(demo.readings(random.Random(1)), 1000)) for _ in range(2))
    assert first == second
