"""What ``fcs_doctor`` does with a site's layer and cache, here and in another process.

``python -m django_fcs.doctor.neighbour`` is the other process. It loads the same settings,
as a web process or ``fcs_stream`` would, and does one of these things.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import django
from django.conf import ENVIRONMENT_VARIABLE
from django.core.cache import caches

from django_fcs.conf import conf
from django_fcs.exceptions import FCSError
from django_fcs.layer.bus import site_layer

__all__ = ["NeighbourError", "ask", "can_be_asked", "forget", "kept", "remember", "send"]

#: How long the cache keeps a value that an interrupted doctor left behind.
_KEEP_SECONDS = 60


class NeighbourError(FCSError):
    """The other process failed; the message is the last line that it printed to stderr."""


def can_be_asked() -> bool:
    """Return whether another process could find the settings of this site."""
    return ENVIRONMENT_VARIABLE in os.environ


def ask(*arguments: str, seconds: float) -> str:
    """Let another process of this site do something; return what it prints.

    Raises ``NeighbourError`` if it fails or takes longer than ``seconds``.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise NeighbourError(f"no answer in {seconds:g} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise NeighbourError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout.strip()


async def send(group: str, word: str) -> None:
    """Send one message to a group of the site's channel layer."""
    await site_layer().group_send(group, {"type": "fcs.doctor", "word": word})


def remember(key: str, word: str) -> None:
    """Put a word into the site's cache."""
    caches[conf.FCS_CACHE].set(key, word, _KEEP_SECONDS)


def kept(key: str) -> str:
    """Return the word that the site's cache has, or ""."""
    return str(caches[conf.FCS_CACHE].get(key) or "")


def forget(key: str) -> None:
    """Remove a word from the site's cache."""
    caches[conf.FCS_CACHE].delete(key)


def _send(group: str, word: str) -> str:
    asyncio.run(send(group, word))
    return ""


_DEEDS: dict[str, Callable[..., str]] = {"send": _send, "kept": kept}


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(_DEEDS[sys.argv[1]](*sys.argv[2:]))
