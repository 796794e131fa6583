#!/usr/bin/env python
"""Run Django's command line for the CSMS project."""

import os
import sys


def main() -> None:
    """Point Django at the project's settings and hand over the arguments; say in one line what is set wrongly."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
