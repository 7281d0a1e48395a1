"""Charts as PNG: drawn by another process, one after the other, so that no price waits for them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import lru_cache, partial
from queue import Full

from django_fcs.exceptions import FCSError
from django_fcs.tools.worker import Worker

from . import raster

__all__ = ["CannotPaint", "NotPainted", "painted"]

#: How long one picture may take.
SECONDS = 5

#: How many pictures may wait; further ones are refused.
WAITING = 16

#: How many pictures a process keeps. Each has some 40 kB.
KEPT = 32

_MISSING = {
    raster.NO_LIBRARY: "PNG needs resvg_py: pip install 'django-fcs[png]'",
    raster.NO_FONT: "PNG needs a font: apt-get install fonts-dejavu-core",
}

_worker = Worker("fcs-pictures", jobs_max=WAITING)


class CannotPaint(FCSError):
    """This machine lacks something; the message says what to install."""


class NotPainted(FCSError):
    """A picture failed, or too many wait. Another time it may succeed."""


async def painted(svg: str, *, seconds: float = SECONDS) -> bytes:
    """Return an SVG as a PNG. Raises ``CannotPaint`` or ``NotPainted``.

    The last pictures are kept: the same SVG is drawn once.
    """
    try:
        return await asyncio.wrap_future(_worker.submit(partial(_kept, svg, seconds)))
    except Full:
        raise NotPainted(f"{WAITING} pictures are waiting") from None


@lru_cache(maxsize=KEPT)
def _kept(svg: str, seconds: float) -> bytes:
    path = os.pathsep.join(folder for folder in sys.path if folder)
    try:
        done = subprocess.run(
            [sys.executable, "-m", raster.__name__],
            input=svg.encode(),
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise NotPainted(f"no picture in {seconds:g} s") from None
    except OSError as error:
        raise NotPainted(f"{sys.executable} cannot be started: {error.strerror}") from None
    if done.returncode in _MISSING:
        raise CannotPaint(_MISSING[done.returncode])
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        # A process that a signal has ended writes no reason, only where it was.
        has_reason = said and done.returncode >= 0
        raise NotPainted(said[-1] if has_reason else f"exit code {done.returncode}")
    return done.stdout
