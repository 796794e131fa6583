"""The process that holds a lease, named so that a dead process of this machine can be recognized."""

import os
import socket
from pathlib import Path

from compat.copying.messages import Message


def holder_identity() -> str:
    """Name this process: host, boot and process namespace, process id and its start."""
    return f"{socket.gethostname()}/{_boot_and_pid_namespace()}/{os.getpid()}/{_start_of(os.getpid())}"


def describe_holder(owner: str) -> Message:
    """Name a lease holder for a person."""
    host, _, rest = owner.partition("/")
    if rest.count("/") != 2:
        return Message.of(owner)
    return Message("process", pid=rest.split("/")[1], host=host)


def is_dead(owner: str) -> bool:
    """Return whether `owner` is a process of this machine and namespace that has ended."""
    host, _, rest = owner.partition("/")
    if host != socket.gethostname() or rest.count("/") != 2:
        return False
    namespace, pid, started = rest.split("/")
    if not namespace or namespace != _boot_and_pid_namespace():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _start_of(int(pid)) not in {started, "?"}


def _boot_and_pid_namespace() -> str:
    """Identify this boot of the machine and this process namespace; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:8]}-{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty when it has ended, `?` when unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "?"
    return "" if fields[0] == "Z" else fields[19]
