"""Report that a library lacks a private name, so that its public calls are used instead."""

from __future__ import annotations

import functools

from .logs import logger_of

__all__ = ["warn_once"]

logger = logger_of(__name__)


@functools.cache
def warn_once(library: str, *names: str) -> None:
    """Log one warning per process for a library and the names that it lacks."""
    logger.warning(
        "using the stock calls, which are slower: a name is missing library=%s name=%s",
        library,
        ",".join(names),
    )
