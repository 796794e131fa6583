#!/usr/bin/env python
"""Run Django's command line for the CSMS project."""

import os
import sys


def main() -> None:
    """Point Django at the project's settings and hand over the arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
