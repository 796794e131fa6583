"""The secret key: given in production, generated once for local use."""

import contextlib
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key


def secret_key(file: Path, *, production: bool) -> str:
    """Return DJANGO_SECRET_KEY, or for local use the key kept in `file`, which is made when it is missing.

    Raises ImproperlyConfigured in production when the environment gives no key.
    """
    if key := os.environ.get("DJANGO_SECRET_KEY"):
        return key
    if production:
        raise ImproperlyConfigured(
            "DJANGO_ALLOWED_HOSTS is set, so this is a production server, and DJANGO_SECRET_KEY is missing. "
            "Set it to a long random value of your own."
        )
    return _local_key(file)


def _local_key(file: Path) -> str:
    key = get_random_secret_key()
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(key)
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
        return file.read_text()
    except OSError:
        return key
