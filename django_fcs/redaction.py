"""Keep API keys that careless browsers put into their URLs out of server logs."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["SILENT", "install"]

#: Servers that log the query of a socket: uvicorn does so at INFO.
_LOGGERS = (
    "uvicorn.error",
    "uvicorn.asgi",
    "uvicorn.access",
    "daphne.ws_protocol",
    "django.channels.server",
)

_KEY = re.compile(r"(access_key=)[^&\s\"']*")


#: For websockets, which logs the request line with the key at DEBUG. Outside the tree
#: of loggers, nobody's configuration can turn this one on.
SILENT = logging.Logger("websockets")  # noqa: LOG001
SILENT.disabled = True


class _Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if "access_key=" in record.getMessage():
            # uvicorn's formatter takes the arguments of an access line apart.
            record.args = _redacted(record.args)
            message = record.getMessage()
            if message != _redacted(message):
                record.msg, record.args = _redacted(message), ()
        return True


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _KEY.sub(r"\1[key]", value)
    if isinstance(value, tuple):
        return tuple(_redacted(inner) for inner in value)
    if isinstance(value, Mapping):
        return {name: _redacted(inner) for name, inner in value.items()}
    return value


def install() -> None:
    """Add the filter once to each of the loggers."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _Redact) for existing in logger.filters):
            logger.addFilter(_Redact())
