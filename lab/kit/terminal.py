"""Output of a command to the terminal."""

from __future__ import annotations

import sys

__all__ = ["say"]


def say(text: str) -> None:
    """Write a line without buffering: the next line may follow minutes later."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
