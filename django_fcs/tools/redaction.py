"""Keep API keys out of server logs when browsers send them in URLs."""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError

from .texts import REASON_MAX, one_line

__all__ = ["SILENT", "install", "reason_of", "site_keys", "spellings_of", "without_secrets"]

#: Loggers in which servers log requested URLs; uvicorn logs those of sockets at INFO.
_LOGGERS = (
    "uvicorn.error",
    "uvicorn.asgi",
    "uvicorn.access",
    "daphne.ws_protocol",
    "daphne.http_protocol",
    "daphne.server",
    "django.channels.server",
    "django.server",
    "django.request",
    "hypercorn.access",
    "hypercorn.error",
    "gunicorn.access",
    "gunicorn.error",
    "granian.access",
    "_granian",
)

#: Any key, found by the parameter names that the vendor's samples use.
_NAMED = re.compile(r"((?:access|api)[_-]?key=)[^&\s\"']*", re.IGNORECASE)

#: Where user and password of an address begin, also if its scheme is missing or misspelt. They end
#: at the last ``@`` of a word. To look for both at once takes the square of the length of a text.
_CREDENTIALS = re.compile(r"//|(?:^|(?<=['\"]))[^/@'\"]*:(?!//)")
_WORD = re.compile(r"\S+")

#: What Python says of an address whose password contains a slash: the rest is not a password.
_PORT = re.compile(r"(Port could not be cast to integer value as ).*", re.DOTALL)

#: A site's key shorter than this is not replaced, because it may occur in ordinary words.
_KEY_MIN = 6


#: For websockets, which logs the request line with the key at DEBUG. This logger is not in
#: the logger hierarchy, so no logging configuration can enable it.
SILENT = logging.Logger("websockets")  # noqa: LOG001
SILENT.disabled = True


class _Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message != _redacted(message):
            # Keep args if possible: uvicorn's formatter unpacks those of an access line.
            record.args = _redacted(record.args)
            message = record.getMessage()
            if message != _redacted(message):
                record.msg, record.args = _redacted(message), ()
        return True


def site_keys() -> tuple[str, ...]:
    """Return the keys to look for in texts, without those whose setting cannot be used at all.

    The longest is the first, because one may be a part of another.
    """
    keys = {_readable("FCS_API_KEY"), _readable("FCS_REST_KEY")} - {""}
    return tuple(sorted(keys, key=len, reverse=True))


def _readable(name: str) -> str:
    try:
        return str(getattr(conf, name))
    except ConfigurationError:
        return ""


@functools.lru_cache(maxsize=16)
def spellings_of(key: str) -> re.Pattern[str]:
    """Return a pattern that matches a key as it is, as encoded in URLs, and as in JSON."""
    spellings = {key, quote(key), quote(key, safe=""), quote_plus(key), json.dumps(key)[1:-1]}
    # The longest first, because one may be a prefix of another.
    return re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))))


def without_secrets(text: str, *keys: str, limit: int = REASON_MAX) -> str:
    """Return a text from outside as one safe line, without the keys and passwords in addresses."""
    for key in filter(None, keys):
        text = spellings_of(key).sub("[key]", text)
    text = _PORT.sub(r"\1[hidden]", _WORD.sub(_without_credentials, text))
    # Cut last: a key that is cut in two would no longer be found.
    return one_line(text, limit)


def _without_credentials(found: re.Match[str]) -> str:
    word = found[0]
    end = word.rfind("@")
    begin = _CREDENTIALS.search(word, 0, end) if end > 0 else None
    if begin is None:
        return word
    kept = begin.end() if begin[0] == "//" else begin.start()
    return f"{word[:kept]}[hidden]{word[end:]}"


def reason_of(error: Exception) -> str:
    """Return the repr of a library's error for a log or a hint, without secrets of the site."""
    return without_secrets(repr(error), *site_keys())


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        for key in site_keys():
            if len(key) >= _KEY_MIN:
                value = spellings_of(key).sub("[key]", value)
        return _NAMED.sub(r"\1[key]", value)
    if isinstance(value, tuple):
        return tuple(_redacted(inner) for inner in value)
    if isinstance(value, Mapping):
        return {name: _redacted(inner) for name, inner in value.items()}
    return value


def install() -> None:
    """Add the filter to each logger, but only once."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _Redact) for existing in logger.filters):
            logger.addFilter(_Redact())
