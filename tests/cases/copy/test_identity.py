"""One database is one database, whatever its name; two are two, however alike they are."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from django.db.models import FloatField

from tests.cases.copy.judge import assert_copied, assert_refused
from tests.cases.copy.routes import POSTGRESQL, SQLITE, on
from tests.databases import connected
from tests.test_pooling import pooled_url  # noqa: F401 a fixture

LEVELS = [(1, 0.5), (2, 1.5), (3, 2.5)]


def levels(lab):
    """Build rows, and declare their copy."""
    lab.build("level double precision", LEVELS)
    lab.declare(lab.old(level=FloatField()), lab.new(level=FloatField()), "level")


def assert_one_database(lab):
    """Assert that a copy from the alias `legacy` is refused, before and after a copy within the database."""
    lab.source = "legacy"
    for rows in (0, len(LEVELS)):
        for option in ("--dry-run", "--defer-indexes=auto"):
            assert_refused(lab, lab.run(option), "legacy", "default", rows=rows)
        lab.source = "default"
        lab.run()
        lab.source = "legacy"
    assert lab.rows() == LEVELS


def file_of(lab):
    return Path(str(connections["default"].settings_dict["NAME"]))


@on(SQLITE)
@pytest.mark.parametrize("kind", ["symbolic link", "hard link", "folder link", "dots", "relative", "Path", "URI"])
def test_a_file_under_another_name_is_the_same_database(lab, kind, monkeypatch):  # R12
    levels(lab)
    file = file_of(lab)
    link = file.with_name("link.sqlite3")
    if kind == "symbolic link":
        link.symlink_to(file)
    elif kind == "hard link":
        connections["default"].close()
        link.hardlink_to(file)
    elif kind == "folder link":
        (file.parent / "folder").symlink_to(file.parent)
        link = file.parent / "folder" / file.name
    elif kind == "dots":
        (file.parent / "folder").mkdir()
        link = file.parent / "folder" / ".." / file.name
    elif kind == "relative":
        monkeypatch.chdir(file.parent)
        link = Path(file.name)
    with connected("legacy", f"sqlite:///{file}"):
        lab.reconnect("legacy", NAME={"Path": file, "URI": f"file:{file}"}.get(kind, str(link)))
        if kind == "URI":
            lab.reconnect("legacy", OPTIONS={**connections.settings["legacy"]["OPTIONS"], "uri": True})
        assert lab.sql("SELECT count(*) FROM old_reading", using="legacy") == [(3,)]
        assert_one_database(lab)
        connections["legacy"].close()


@on(SQLITE)
def test_a_copied_file_is_another_database(lab):  # R12
    levels(lab)
    connections["default"].close()
    twin = file_of(lab).with_name("twin.sqlite3")
    shutil.copy(file_of(lab), twin)
    with connected("legacy", f"sqlite:///{twin}"):
        lab.source = "legacy"
        assert_copied(lab, lab.run(), LEVELS)
        connections["legacy"].close()


@contextmanager
def other_name(lab, kind, tmp_path):
    """Connect the alias `legacy` to the target's PostgreSQL database under another name."""
    with connected("legacy", lab.urls["default"]):
        config = connections.settings["legacy"]
        host = config["HOST"] or config["OPTIONS"].get("host", "")
        changed = {
            "folder link": lambda: _link(tmp_path, host),
            "dots": lambda: f"{host}/../{Path(host).name}",
            "slash": lambda: f"{host}/",
        }
        if kind == "user":
            lab.sql("CREATE ROLE legacy_reader SUPERUSER LOGIN")
            lab.reconnect("legacy", USER="legacy_reader")
        elif kind == "options":
            lab.reconnect("legacy", OPTIONS={**config["OPTIONS"], "application_name": "legacy"}, CONN_MAX_AGE=0)
        else:
            options = {name: value for name, value in config["OPTIONS"].items() if name != "host"}
            lab.reconnect("legacy", HOST=changed[kind](), OPTIONS=options)
        try:
            yield
        finally:
            connections["legacy"].close()
            if kind == "user":
                lab.sql("DROP ROLE legacy_reader")


def _link(tmp_path, host):
    link = tmp_path / "socket"
    link.symlink_to(host)
    return str(link)


@on(POSTGRESQL)
@pytest.mark.parametrize("kind", ["folder link", "dots", "slash", "user", "options"])
def test_a_server_under_another_name_is_the_same_database(lab, kind, tmp_path):  # R12
    levels(lab)
    with other_name(lab, kind, tmp_path):
        assert lab.sql("SELECT count(*) FROM old_reading", using="legacy") == [(3,)]
        assert_one_database(lab)


@on(POSTGRESQL)
def test_another_database_of_one_server_is_another_database(lab, postgres):  # R12
    levels(lab)
    connections["default"].close()
    name = lab.urls["default"].partition("?")[0].rpartition("/")[2]
    twin = postgres.create(template=name)
    try:
        with connected("legacy", postgres.url(twin)):
            lab.source = "legacy"
            assert_copied(lab, lab.run(), LEVELS)
            connections["legacy"].close()
    finally:
        postgres.drop(twin)


@pytest.mark.slow
@on(POSTGRESQL)
def test_a_pooler_leads_to_the_same_database(lab, pooled_url):  # noqa: F811  # R12
    levels(lab)
    name = lab.sql("SELECT current_database()")[0][0]
    with connected("legacy", f"{pooled_url.rpartition('/')[0]}/{name}"):
        assert lab.sql("SELECT count(*) FROM old_reading", using="legacy") == [(3,)]
        assert_one_database(lab)
        connections["legacy"].close()
