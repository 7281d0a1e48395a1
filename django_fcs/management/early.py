"""SIGTERM and Ctrl-C before the event loop of a command handles them.

Importing a command takes a third of a second. By default, SIGTERM kills the process at once,
with an exit code that looks like a failure. In a container, the first process even ignores it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType

__all__ = ["SIGNALS", "end_on_signals"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: The commands that run until a signal. For the others, success on a signal would be wrong.
_COMMANDS = ("fcs_simulator", "fcs_stream", "fcs_watch")


def end_on_signals(arguments: Sequence[str]) -> None:
    """Let signals end this process with exit code 0, if it was started as such a command.

    ``arguments`` are those of the process.
    """
    runs_until_one = any(name in _COMMANDS for name in arguments[1:2])
    if not runs_until_one or "--check" in arguments:
        return
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
