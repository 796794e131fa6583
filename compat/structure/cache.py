"""Keep what a server made of the same statements before, in a file that only this user may write.

The key holds everything that the result depends on, so that an entry is never out of date, only unused.
The setting COMPAT_STRUCTURE_CACHE names another folder, or is None to keep nothing.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from compat.structure.findings import Kind
from compat.structure.snapshot import Column, Rule, Sequence, Snapshot, Table, Visibility

logger = logging.getLogger(__name__)
FORMAT = 6  # raise when the snapshot's classes or the queries behind them change
KEPT = 20


def key(*parts: Any) -> str:
    """Return the key for these parts, this Django and this code."""
    return hashlib.sha256(json.dumps([FORMAT, django.VERSION, *parts], default=str).encode()).hexdigest()


def load(name: str) -> Snapshot | None:
    """Return what was kept under this key."""
    folder = _folder()
    try:
        if folder is None or folder.stat().st_uid != os.getuid():
            return None
        return {table: _table(given) for table, given in json.loads((folder / name).read_text()).items()}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def save(name: str, snapshot: Snapshot) -> None:
    """Keep a snapshot, and forget the oldest ones; a folder that cannot be written is no error."""
    folder = _folder()
    if folder is None or any(table.unreadable for table in snapshot.values()):
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{name}.{os.getpid()}"
        draft.write_text(json.dumps(snapshot, default=vars))
        draft.replace(folder / name)
        for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def _folder() -> Path | None:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    chosen = getattr(settings, "COMPAT_STRUCTURE_CACHE", base / "compat-structure")
    return Path(chosen) if chosen else None


def _table(given: Mapping[str, Any]) -> Table:
    return Table(**{
        **given,
        "columns": {name: Column(**column) for name, column in given["columns"].items()},
        "rules": tuple(map(_rule, given["rules"])),
        "sequences": tuple(Sequence(**sequence) for sequence in given["sequences"]),
        "elsewhere": tuple(given["elsewhere"]),
        "dependents": tuple(given["dependents"]),
        "triggers": tuple(given["triggers"]),
        "visibility": Visibility(given["visibility"]),
    })  # fmt: skip


def _rule(given: Mapping[str, Any]) -> Rule:
    pairs = {name: tuple((key, value) for key, value in given[name]) for name in ("traits", "flags")}
    return Rule(**{**given, **pairs, "kind": Kind(given["kind"]), "columns": tuple(given["columns"]),
                   "enabling": tuple(given["enabling"])})  # fmt: skip
