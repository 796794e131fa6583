"""ASGI entry point: `uvicorn csms_project.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
django = get_asgi_application()

from compat.startup.hook import startup  # noqa: E402  needs the apps
from compat.startup.lifespan import Lifespan  # noqa: E402

application = Lifespan(django, startup.shut_down)
startup.serve()
