"""Behind pgbouncer in transaction mode, where each transaction may use another connection of the server."""

import json
import os
import shutil
import socket
import subprocess
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import legacy
from tests.databases import connected, manage

pytestmark = pytest.mark.slow

CONFIG = """
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""


@pytest.fixture
def pooled_url(postgres, postgres_template, tmp_path_factory):
    """URL of a database that holds the migrated project, through a pooler that stops with the test."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("needs Debian's package pgbouncer")
    name = postgres.create(template=postgres_template)
    parts = urlsplit(postgres.url(name))
    folder = parse_qs(parts.query).get("host", [None])[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path_factory.mktemp("pgbouncer") / "pgbouncer.ini"
    file.write_text(CONFIG.format(host=folder or parts.hostname, port=parts.port or 5432, listen=port))
    owner = os.stat(folder).st_uid if folder else 65534  # pgbouncer refuses to run as root
    with file.open() as config:
        pooler = subprocess.Popen(
            ["pgbouncer", "--quiet", f"/proc/self/fd/{config.fileno()}"], pass_fds=[config.fileno()],
            user=None if os.getuid() else owner, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(port)
        yield f"postgresql://postgres@127.0.0.1:{port}/{name}"
    pooler.terminate()
    pooler.wait()
    postgres.drop(name)


def wait_for(port):
    """Wait until the port accepts connections."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError


def test_all_operations_work_through_a_transaction_pooler(pooled_url, django_db_blocker):
    with django_db_blocker.unblock(), connected("default", pooled_url):
        legacy.build("default", 3000)
        legacy.execute("default", "ALTER TABLE performance_records ALTER COLUMN recorded_at DROP NOT NULL")
    manage("verify_structure", url=pooled_url, check=1)
    manage("verify_structure", "--fix", url=pooled_url, check=0)
    modes = (["--workers=2", "--batch-size=100"], ["--defer-indexes=always"])
    for mode in modes:
        result = manage("migrate_performance", "--format=json", *mode, url=pooled_url, check=0)
        assert json.loads(result.stdout)["copied"] == 3000
        manage("migrate_performance", "--verify", url=pooled_url, check=0)
        manage("migrate_performance", "--rollback", url=pooled_url, check=0)
    manage("verify_structure", url=pooled_url, check=0)
