"""Environment variables that take one of a few values."""

import os

from django.core.exceptions import ImproperlyConfigured


def chosen(variable: str, *values: str, default: str) -> str:
    """Return what the environment variable says; the default when it is unset or empty.

    Raises ImproperlyConfigured, naming the values, when it says anything else.
    """
    value = os.environ.get(variable) or default
    if value not in values:
        raise ImproperlyConfigured(f"{variable} is {value!r}; it must be one of {', '.join(values)}.")
    return value
