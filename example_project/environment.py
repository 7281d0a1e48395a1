"""Read ``FCS_*`` settings from environment variables of the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

__all__ = ["cache_beside", "fcs_settings"]

Reader = Callable[[str], object]


def listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def digits(text: str) -> dict[str, int]:
    """Read ``FX:USDJPY=3,BINANCE:*=2``."""
    pairs = (item.rpartition("=") for item in listed(text))
    return {pattern: int(number) for pattern, _, number in pairs}


def optional(read: Reader) -> Reader:
    return lambda text: None if text == "None" else read(text)


READERS: dict[str, Reader] = {
    "FCS_API_KEY": str,
    "FCS_URL": str,
    "FCS_ROOMS": listed,
    "FCS_TIMEFRAME": str,
    "FCS_ALLOWED_SYMBOLS": listed,
    "FCS_AUTHORIZE": optional(str),
    "FCS_ALLOWED_ORIGINS": optional(listed),
    "FCS_TOKEN_MAX_AGE_SECONDS": optional(float),
    "FCS_MAX_ROOMS": int,
    "FCS_MAX_ROOMS_PER_CLIENT": int,
    "FCS_MAX_SOCKETS_PER_IP": int,
    "FCS_MAX_FRAMES_PER_SECOND": float,
    "FCS_CHANNEL_LAYER": str,
    "FCS_CACHE": str,
    "FCS_SOCKET_URL": str,
    "FCS_SITE": str,
    "FCS_LINGER_SECONDS": float,
    "FCS_LEASE_SECONDS": float,
    "FCS_STALE_AFTER_SECONDS": float,
    "FCS_OFFLINE_AFTER_SECONDS": float,
    "FCS_SLOW_CLIENT_SECONDS": float,
    "FCS_DIGITS": digits,
}


def fcs_settings(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the settings that the environment names, each in its own type.

    An empty variable empties a list and leaves any other setting at its default.
    """
    return {
        name: value_of(name, environ[name])
        for name, read in READERS.items()
        if environ.get(name) or (read is listed and name in environ)
    }


def cache_beside(redis: str) -> str:
    """Return the URL of the cache for a channel layer at this URL: its database plus 8.

    In the same database, ``cache.clear()`` would delete the lease of the stream. The next
    database may hold the channel layer of another site.
    """
    parts = urlsplit(redis)
    query = dict(parse_qsl(parts.query))
    is_socket = parts.scheme == "unix"
    database = int(query.pop("db", "") or ("" if is_socket else parts.path.strip("/")) or 0) + 8
    if is_socket:
        # Not ``urlunsplit``, which drops the slashes before an empty host.
        return f"unix://{parts.netloc}{parts.path}?{urlencode({**query, 'db': database})}"
    return urlunsplit(parts._replace(path=f"/{database}", query=urlencode(query)))


def value_of(name: str, text: str) -> object:
    try:
        return READERS[name](text)
    except ValueError as error:
        raise ImproperlyConfigured(f"Environment variable {name}={text!r}: {error}") from error
