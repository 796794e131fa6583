"""Owners of runs: processes, named so that one that died on this machine is known to be dead."""

import os
import socket
from pathlib import Path

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy


def holder_identity() -> str:
    """Name this process: host, boot and process namespace, process id and its start."""
    return f"{socket.gethostname()}/{_place()}/{os.getpid()}/{_started(os.getpid())}"


def describe_holder(owner: str) -> str | Promise:
    """Name an owner for a person."""
    host, _, rest = owner.partition("/")
    if rest.count("/") != 2:
        return owner
    return format_lazy(gettext_lazy("process {pid} on {host}"), pid=rest.split("/")[1], host=host)


def is_dead(owner: str) -> bool:
    """Tell whether `owner` is known to be dead: a process that this one would see and that is not there any more."""
    host, _, rest = owner.partition("/")
    if host != socket.gethostname() or rest.count("/") != 2:
        return False
    place, pid, started = rest.split("/")
    if not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) not in {started, "?"}


def _place() -> str:
    """Identify this boot of the machine and this process namespace; empty where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:8]}-{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when the process began, in clock ticks since boot; empty when it has ended, `?` when unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "?"
    return "" if fields[0] == "Z" else fields[19]
