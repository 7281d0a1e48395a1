"""The Chromium of this machine, and how tests and the laboratory start it."""

from __future__ import annotations

import os
import shutil

__all__ = ["FLAGS", "chromium"]

FLAGS = [
    "--no-sandbox",  # containers run tests as root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def chromium() -> str | None:
    """Return the browser's path: ``FCS_CHROMIUM``, or the first one on the PATH.

    The one without a window comes first: it is the same engine, and takes a third less time.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("FCS_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
