"""What a server made of the expected tables is remembered between runs, and never mistaken."""

import pytest
from django.db import connection

from compat.structure import cache
from compat.structure.backends import backend_for
from compat.structure.expected import Project
from compat.structure.verify import verify
from tests.structure.conftest import execute

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.COMPAT_STRUCTURE_CACHE = tmp_path / "cache"
    return tmp_path / "cache"


def expected():
    return backend_for(connection).expected([owner for owner in Project(connection).owners if owner.managed])


def test_what_is_remembered_is_what_was_built(torture, folder):
    built = expected()
    assert len(list(folder.iterdir())) == 1
    assert expected() == built


def test_drift_is_found_with_what_is_remembered(torture):
    assert verify().status == "ok"
    execute("DROP INDEX line_amount_price")
    assert verify().status == "drift"


@pytest.mark.parametrize("change", ["SET TimeZone = 'Asia/Tokyo'", "CREATE DOMAIN new_type AS integer"])
def test_a_change_of_the_server_is_noticed(migrated, folder, change):
    expected()
    execute(change)
    expected()
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("content", ["", "{}", '{"devices": 1}', '{"devices": {}}'])
def test_a_spoilt_file_is_built_again(migrated, folder, content):
    built = expected()
    (file,) = folder.iterdir()
    file.write_text(content)
    assert expected() == built


def test_nothing_is_kept_when_the_settings_say_so(migrated, settings, folder):
    settings.COMPAT_STRUCTURE_CACHE = None
    expected()
    assert not folder.exists()
    assert cache.load("x") is None
