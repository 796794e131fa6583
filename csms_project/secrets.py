"""The secret key: from the environment in production, generated once for local use."""

import contextlib
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key


def secret_key(file: Path, *, production: bool) -> str:
    """Return DJANGO_SECRET_KEY, or for local use the key in `file`, which is created when it is missing.

    Raises ImproperlyConfigured in production without DJANGO_SECRET_KEY.
    """
    if key := os.environ.get("DJANGO_SECRET_KEY"):
        return key
    if production:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is missing. It is required because DJANGO_ALLOWED_HOSTS makes this a production server. "
            "Set it to a long random value."
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
