"""In strict mode a process refuses to serve while the structure has errors, and logs them."""

import pytest

from tests import legacy
from tests.startup.servers import TIMEOUT_SECONDS, serving

pytestmark = pytest.mark.slow

STRICT = "from csms_project.settings import *\nCOMPAT = {'STRICT': True}\n"
EXIT_CODES = {
    "runserver": {1},
    "runserver --noreload": {3},
    "gunicorn": {3, 1},  # 1, with a traceback of gunicorn, when a second worker refuses during the halt
    "gunicorn --preload": {3},
    "uvicorn": {3},
}


@pytest.fixture
def strict(tmp_path):
    """Environment of a project in strict mode."""
    (tmp_path / "strict_settings.py").write_text(STRICT)
    return {"DJANGO_SETTINGS_MODULE": "strict_settings", "PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("name", EXIT_CODES)
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_remaining_errors_stop_the_server(migrated, migrated_url, name, tmp_path, strict):
    legacy.execute(migrated, "DROP TABLE thresholds")
    legacy.execute(migrated, "CREATE VIEW thresholds AS SELECT 1 AS id")
    with serving(name, migrated_url, tmp_path, **strict) as server:
        assert server.process.wait(TIMEOUT_SECONDS) in EXIT_CODES[name], server.log
        assert "compat.E002 thresholds" in server.log
        assert "this process does not serve" in server.log
        assert name == "gunicorn" or "Traceback" not in server.log


def test_a_repairable_database_is_served(migrated, migrated_url, tmp_path, strict):
    legacy.execute(migrated, "DROP TABLE thresholds")
    with serving("gunicorn", migrated_url, tmp_path, **strict) as server:
        server.wait_until_it_answers()
        assert legacy.count(migrated, "thresholds") == 0


def test_an_unreachable_database_stops_the_server(tmp_path, strict):
    with serving("gunicorn", "postgresql://nobody@127.0.0.1:9/none", tmp_path, **strict) as server:
        assert server.process.wait(TIMEOUT_SECONDS) in EXIT_CODES["gunicorn"]
        assert "cannot be reached" in server.log
