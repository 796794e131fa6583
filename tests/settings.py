"""Settings of the test suite: the project's own, away from the developer's database and environment."""

import os
import tempfile

os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.gettempdir()}/csms-tests-unused.sqlite3"
os.environ["DJANGO_SECRET_KEY"] = "tests only"
os.environ["COMPAT_STARTUP"] = "off"
for name in (
    "LEGACY_DATABASE_URL", "LEGACY_TIME_ZONE", "DJANGO_ALLOWED_HOSTS", "DJANGO_DEBUG", "DJANGO_LANGUAGE_CODE",
    "DJANGO_HSTS_SECONDS", "COMPAT_LOG_LEVEL",
):  # fmt: skip
    os.environ.pop(name, None)

from csms_project.settings import *  # noqa: E402, F403
