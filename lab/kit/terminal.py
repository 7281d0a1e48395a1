"""What a command says to who started it."""

from __future__ import annotations

import sys

__all__ = ["say"]


def say(text: str) -> None:
    """Write a line, and at once: a run may go on for minutes until its next one."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
