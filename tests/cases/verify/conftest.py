"""The laboratory on each database: alone on an empty one, or beside the migrated project."""

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from tests.cases.verify.lab import MINIMAL, Lab
from tests.databases import Postgres, connected


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """Keep what verification remembers out of the developer's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def laboratory(tmp_path, django_db_blocker):
    """Open a laboratory on the database at a URL."""
    with ExitStack() as stack, django_db_blocker.unblock():

        def opened(url, base=MINIMAL):
            stack.enter_context(connected("default", url))
            lab = Lab(url, Path(tempfile.mkdtemp(dir=tmp_path)), base)
            stack.callback(lab.close)
            return lab

        yield opened


@pytest.fixture
def lab(laboratory, empty_url):
    """The app `lab` and the drift engine, on an empty database."""
    return laboratory(empty_url)


@pytest.fixture
def project(laboratory, migrated_url):
    """The app `lab` beside the whole project, which is migrated."""
    return laboratory(migrated_url, list(settings.INSTALLED_APPS))


@pytest.fixture(scope="session")
def debian_postgres():
    """A server of Debian's package `postgresql`, for extensions and collations that the server from PyPI lacks."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert versions, "this test needs Debian's package postgresql"
    folder = tempfile.mkdtemp(prefix="csms-debian-pg-")
    owner = {} if os.getuid() else {"user": "postgres"}  # the server refuses to run as root
    if owner:
        shutil.chown(folder, "postgres")
    run = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **owner}
    subprocess.run(
        [versions[-1] / "initdb", "--pgdata=data", "--auth=trust", "--no-sync", "--username=postgres"], **run
    )
    options = f"-F -c listen_addresses='' -k {folder}"
    subprocess.run(
        [versions[-1] / "pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", f"--options={options}"], **run
    )
    yield Postgres(f"postgresql://postgres@/postgres?host={folder}")
    subprocess.run([versions[-1] / "pg_ctl", "stop", "--pgdata=data", "--mode=immediate"], **run)
    shutil.rmtree(folder)


@pytest.fixture
def debian(laboratory, debian_postgres):
    """The app `lab` on an empty database of Debian's server."""
    name = debian_postgres.create()
    yield laboratory(debian_postgres.url(name))
    debian_postgres.drop(name)
