"""The loggers of this project: what a line quotes is escaped and cut, so that it stays one line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from traceback import format_exception
from typing import Any

from .texts import one_line

__all__ = ["logger_of"]

#: How long what a line quotes may be, and a traceback, in characters.
QUOTED_MAX = 500
TRACEBACK_MAX = 20_000


def logger_of(name: str) -> logging.Logger:
    """Return the logger of a module; what its lines quote is escaped and cut."""
    logger = logging.getLogger(name)
    if not any(isinstance(existing, _Safe) for existing in logger.filters):
        logger.addFilter(_Safe())
    return logger


class _Safe(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(map(_quoted, record.args))
        elif isinstance(record.args, Mapping):
            record.args = {name: _quoted(value) for name, value in record.args.items()}
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = _traceback(record.exc_info[1])
        return True


class _Quoted:
    """An argument whose text is made safe only when, and if, the line is written."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return one_line(str(self._value), QUOTED_MAX)

    def __repr__(self) -> str:
        return one_line(repr(self._value), QUOTED_MAX)


def _quoted(value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    return one_line(value, QUOTED_MAX) if isinstance(value, str) else _Quoted(value)


def _traceback(error: BaseException) -> str:
    """Format a traceback. Its lines are indented, because an exception may contain a line break."""
    lines = "".join(format_exception(error))[-TRACEBACK_MAX:].splitlines()
    return "\n".join(f"  {one_line(line, QUOTED_MAX)}" for line in lines)
