#!/usr/bin/env python
"""Run Django's command line for the CSMS project."""

import os
import sys


def main() -> None:
    """Point Django at the project's settings and hand over the arguments; say in one line what is set wrongly.

    A Ctrl-C and a closed pipe end it without a traceback, with the exit codes that shells know: 130 and 141.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
    try:
        run()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # as `| head` leaves it; Python would complain once more when it flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def run() -> None:
    """Run the command."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        print(error, file=sys.stderr)
        sys.exit(2)
    finally:
        sys.stdout.flush()


if __name__ == "__main__":
    main()
