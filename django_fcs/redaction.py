"""Keep API keys that careless browsers put into their URLs out of server logs."""

from __future__ import annotations

import logging
import re

__all__ = ["install"]

#: Servers that log the query of a socket: uvicorn does so at INFO.
_LOGGERS = ("uvicorn.error", "uvicorn.access", "daphne.ws_protocol", "django.channels.server")

_KEY = re.compile(r"(access_key=)[^&\s\"']*")


class _Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "access_key=" in message:
            record.msg, record.args = _KEY.sub(r"\1[key]", message), ()
        return True


def install() -> None:
    """Add the filter once to each of the loggers."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _Redact) for existing in logger.filters):
            logger.addFilter(_Redact())
