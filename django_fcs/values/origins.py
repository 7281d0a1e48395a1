"""The origin of a page: scheme, host and port, read as a URL."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import NamedTuple

__all__ = ["DEFAULT_PORTS", "Origin", "read_origin"]

DEFAULT_PORTS = {"http": 80, "https": 443}

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?"
)
_PORT_MAX = 65_535


class Origin(NamedTuple):
    """Two origins are equal if their URLs are: in lower case, with the port of the scheme."""

    scheme: str
    host: str
    port: int | None


def read_origin(text: str) -> Origin | None:
    """Return the origin that a text spells, or ``None`` if it spells none."""
    match = _ORIGIN.fullmatch(text.lower()) if text.isascii() else None
    if match is None:
        return None
    scheme, host = match["scheme"], match["host"].removesuffix(".")
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS.get(scheme)
    try:
        host = f"[{IPv6Address(host[1:-1])}]" if host.startswith("[") else host
    except ValueError:
        return None
    return Origin(scheme, host, port) if host and (port or 0) <= _PORT_MAX else None
