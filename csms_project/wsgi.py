"""WSGI entry point: `gunicorn csms_project.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
application = get_wsgi_application()

from compat.startup.hook import startup  # noqa: E402  needs the apps

startup.serve()
