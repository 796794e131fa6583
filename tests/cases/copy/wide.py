"""A copy of wide rows in a process with little memory: python -m tests.cases.copy.wide BYTES [OPTION …]."""

import resource
import sys
from pathlib import Path

import django

ROWS, BYTES_PER_ROW = 300, 1_000_000
MEMORY_BYTES = 200_000_000
"""What the process may use beyond Django and the models."""


def declaration():
    """Return the copy of a table with wide rows, `old_reading`, into the table `new_reading`."""
    from django.db.models import JSONField, TextField

    from tests.cases.copy.laboratory import Lab

    lab = Lab("legacy", {})
    old = lab.old(note=TextField(), doc=JSONField(null=True))
    new = lab.model("New", "new_reading", managed=True, note=TextField(), doc=JSONField(null=True))
    return lab.declare(old, new, "note", "doc", called="wide")


def limit(more):
    """Allow this process `more` bytes of address space beyond what it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main():
    django.setup()
    from tests.cases.copy.api import command

    copy = declaration()
    limit(int(sys.argv[1]))
    command(copy).run_from_argv(["manage.py", "migrate_wide", "--format=json", "--no-progress", *sys.argv[2:]])


if __name__ == "__main__":
    main()
