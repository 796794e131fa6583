"""Environment variables with restricted values."""

import os

from django.core.exceptions import ImproperlyConfigured


def chosen(variable: str, *values: str, default: str) -> str:
    """Return the value of the environment variable, or the default when it is unset or empty.

    Raises ImproperlyConfigured with the allowed values for any other value.
    """
    value = os.environ.get(variable) or default
    if value not in values:
        raise ImproperlyConfigured(f"{variable} is {value!r}; it must be one of {', '.join(values)}.")
    return value


def number(variable: str, *, default: int) -> int:
    """Return the environment variable as a number from 0, or the default when it is unset or empty.

    Raises ImproperlyConfigured for anything else.
    """
    value = os.environ.get(variable) or str(default)
    if not (value.isascii() and value.isdecimal()):
        raise ImproperlyConfigured(f"{variable} is {value!r}; it must be a whole number from 0.")
    return int(value)
