"""The interface for other projects: the exported names, the functions and the command."""

import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import connection

from compat import copying
from compat.copies import PERFORMANCE
from tests import legacy
from tests.databases import ROOT


def test_every_exported_name_is_there():
    assert [getattr(copying, name).__name__ for name in copying.__all__] == copying.__all__
    with pytest.raises(AttributeError, match="no attribute 'copy_everything'"):
        copying.copy_everything  # noqa: B018 the access raises


def test_a_declaration_can_be_imported_before_models_are_ready():
    code = "from compat.copying import AwareDateTime, Copy, RunTimestamp"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_the_functions_take_a_copy_and_return_results(migrated):
    legacy.build(migrated, 20)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    tried = copying.dry_run(PERFORMANCE)
    assert (tried.status, tried.copied, tried.rejected) == ("dry_run", 19, 1)
    assert copying.copy_rows(PERFORMANCE, migrated, batch_size=5).batches == 4
    assert copying.verify_copy(PERFORMANCE, source=migrated).status == "verified"
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 1 WHERE id = 7")
    assert copying.retry_rejected(PERFORMANCE).copied == 20
    assert copying.roll_back(PERFORMANCE).copied == 20
    assert copying.copy_rows(PERFORMANCE, "nope").status == "blocked"


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_the_command_leaves_open_connections_of_its_caller_open(migrated):
    legacy.build(migrated, 5)
    opened = connection.connection
    call_command("migrate_performance", no_progress=True)
    assert connection.connection is opened
    assert legacy.not_over(migrated) == []
