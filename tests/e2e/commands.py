"""Run commands of the site, one after the other in one process, each as loud as it can be.

``python -m tests.e2e.commands "fcs_stream --check" fcs_status``
"""

from __future__ import annotations

import contextlib
import sys

from django.core.management import execute_from_command_line

LOUDLY = ("-v", "3", "--traceback")


def run(command: str) -> None:
    """Run a command to its end, and write down what it raises as Python does."""
    try:
        with contextlib.suppress(SystemExit):
            execute_from_command_line(["manage.py", *command.split(), *LOUDLY])
    except Exception:
        sys.excepthook(*sys.exc_info())


if __name__ == "__main__":
    for command in sys.argv[1:]:
        run(command)
