"""A signal that comes while a command starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from django_fcs.management.early import end_on_signals
from tests.support.beside import safe_signals

#: A command that gets a signal at the moment that an audit event names.
COMMAND = """
import os, sys
moment, number = sys.argv.pop(), int(sys.argv.pop())
due = [number]
def hook(event, arguments):
    is_late = "django_fcs.management.running" in sys.modules
    if due and is_late and moment in (event, event == "import" and arguments[0]):
        os.kill(os.getpid(), due.pop())
sys.addaudithook(hook)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
assert not due, "the moment never came"
"""


def code_after(number: int, moment: str, *command: str) -> tuple[int, str]:
    """Return the exit code and the errors of a command that gets a signal at a moment."""
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND, *command, str(int(number)), moment],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("number", "moment", "command"),
    [
        (signal.SIGTERM, "django_fcs.streaming.stream", "fcs_stream"),
        (signal.SIGINT, "django_fcs.streaming.stream", "fcs_stream"),
        # The event loop opens a pair of sockets before it handles signals.
        (signal.SIGTERM, "socket.__new__", "fcs_simulator"),
        (signal.SIGINT, "django_fcs.simulator.server", "fcs_simulator"),
        (signal.SIGTERM, "django_fcs.widgets.formats", "fcs_watch"),
    ],
)
def test_a_signal_ends_a_command_that_is_still_starting_with_success(
    number: int, moment: str, command: str
) -> None:
    assert code_after(number, moment, command) == (0, "")


def test_a_check_that_is_ended_is_no_success() -> None:
    code, _ = code_after(signal.SIGTERM, "django_fcs.streaming.stream", "fcs_stream", "--check")

    assert code == -signal.SIGTERM


@pytest.mark.parametrize("arguments", [[], ["manage.py"], ["manage.py", "migrate"], ["pytest"]])
def test_other_processes_keep_their_handlers(arguments: list[str]) -> None:
    with safe_signals():
        before = signal.getsignal(signal.SIGTERM)
        end_on_signals(arguments)

        assert signal.getsignal(signal.SIGTERM) is before
