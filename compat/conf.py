"""The settings of CSMS: one function for each key of `COMPAT` in the settings of Django."""

import os
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _


class Startup(StrEnum):
    """What a server does when it starts; each value includes the values before it."""

    OFF = "off"
    VERIFY = "verify"
    REPAIR = "repair"
    COPY = "copy"


def startup() -> Startup:
    """`STARTUP`: off, verify, repair or copy (the default). The environment variable COMPAT_STARTUP overrides it.

    Raises ImproperlyConfigured for other values.
    """
    value = os.environ.get("COMPAT_STARTUP") or _get("STARTUP", default=Startup.COPY)
    try:
        return Startup(value)
    except ValueError:
        known = ", ".join(Startup)
        text = _("COMPAT_STARTUP is %(value)r; it must be one of %(known)s.")
        raise ImproperlyConfigured(text % {"value": value, "known": known}) from None


def startup_database() -> str:
    """`STARTUP_DATABASE`: the alias that start-up, pages and /health/ check and repair; by default `default`."""
    return str(_get("STARTUP_DATABASE", default="default"))


def startup_source() -> str | None:
    """`STARTUP_SOURCE`: the alias that start-up and pages copy from; None, the default: the same database."""
    return _get("STARTUP_SOURCE", default=None)  # type: ignore[no-any-return]


def strict() -> bool:
    """`STRICT`: whether a process refuses to serve when errors remain after the repairs; by default False."""
    return bool(_get("STRICT", default=False))


def health_seconds() -> float:
    """`HEALTH_SECONDS`: how long /health/ keeps an answer about the structure; by default 60."""
    return float(_get("HEALTH_SECONDS", default=60))


def _get(key: str, *, default: Any) -> Any:
    return getattr(settings, "COMPAT", {}).get(key, default)
