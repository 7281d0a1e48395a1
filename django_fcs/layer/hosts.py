"""The hosts of the channel layer, as redis-py reads them, and what to write for a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_fcs.exceptions import ConfigurationError

__all__ = ["pools_of"]

_SCHEMES = ("redis", "rediss", "unix")
_EXAMPLE = "redis://localhost:6379"
_PORTS = range(1, 65_536)

#: A host without a right scheme. Any other text may contain a password, so no message repeats it.
_MISSPELT = re.compile(
    r"(?!(?i:rediss?|unix)://)(?:(?P<scheme>[A-Za-z]+)(?::/|//)|(?P<bare>rediss?):)?/*"
    r"(?P<secrets>[^?]*@)?"
    r"(?P<place>(?:[\w.-]+|\[[\dA-Fa-f:.]+\])(?::\d*)?(?:/\d*)?)"
)

#: redis-py accepts these and opens localhost.
_WITHOUT_SLASHES = re.compile(r"rediss?:(?!//)", re.IGNORECASE)


def pools_of(hosts: Sequence[Any], make_pool: Callable[[int], Any]) -> list[Any]:
    """Return a ``ConnectionPool`` of redis-py for each host. Nothing connects.

    Args:
        hosts: As channels_redis has decoded them, one mapping for each host.
        make_pool: Returns the pool of the host with this number.

    Raises:
        ConfigurationError: A host cannot be used. The text says which one and what to
            write, and contains no password.
    """
    return [_pool(number, host, make_pool) for number, host in enumerate(hosts)]


def _pool(number: int, host: Any, make_pool: Callable[[int], Any]) -> Any:
    try:
        _check_place(host)
        pool = make_pool(number)
        if getattr(pool.make_connection(), "port", _PORTS[0]) not in _PORTS:
            raise ValueError
    except Exception as error:  # Whatever the libraries raise for a wrong value.
        # Not the text of the error, which may contain a part of the password.
        text = f"hosts[{number}] in CHANNEL_LAYERS {_advice(host)} ({type(error).__name__})"
        raise ConfigurationError(text) from None
    return pool


def _check_place(host: Any) -> None:
    """Raise ``ValueError`` for what redis-py accepts but cannot connect to."""
    address, name = host.get("address"), host.get("host")
    if isinstance(address, str) and _WITHOUT_SLASHES.match(address):
        raise ValueError
    if isinstance(name, str) and "/" in name:
        raise ValueError


def _advice(host: Any) -> str:
    given = host.get("address") if isinstance(host, Mapping) else None
    found = _MISSPELT.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        return f'cannot be read: write it as "{_EXAMPLE}"'
    place = found["place"]
    shown, secrets = (f"…@{place}", "USER:PASSWORD@") if found["secrets"] else (given, "")
    scheme = (found["scheme"] or found["bare"] or "").lower()
    scheme = scheme if scheme in _SCHEMES else "redis"
    return f'is "{shown}": write "{scheme}://{secrets}{place}"'
