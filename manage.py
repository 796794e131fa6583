#!/usr/bin/env python
"""The command line of Django for the CSMS project."""

import os
import sys


def main() -> None:
    """Run a command with the settings of the project.

    Ctrl-C and a closed pipe end it without a traceback and with the usual exit codes of shells, 130 and 141.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms_project.settings")
    try:
        run()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # for example `| head`; without dup2, Python fails again when it flushes stdout at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def run() -> None:
    """Run the command. Print a wrong setting in one line and exit with 2."""
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
