"""Which Redis databases the settings name, without the layer, the cache or redis-py.

Everything here is a function of the settings. What cannot be read counts as database 0:
the system checks report it, and it opens no connection.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_fcs.conf import conf

__all__ = ["Place", "cache_places", "database_number", "layer_database", "layer_places"]

_LAYERS = "channels_redis."
_CACHES = {
    "django.core.cache.backends.redis.RedisCache",
    "django_redis.cache.RedisCache",
}

#: What channels_redis takes for missing hosts.
_USUAL_HOST = "redis://localhost:6379"
_USUAL_PORT = 6379

#: Redis reads the number of a database into a signed 32-bit integer.
_DATABASES = 2**31


class Place(NamedTuple):
    """One database of a Redis server."""

    server: str
    """``host:port``, the path of a Unix socket, or the name that Sentinels know it by."""
    database: int


def layer_database() -> int:
    """Return the database of the first host of the site's channel layer.

    It is 0 for layers that are not from channels_redis.
    """
    places = layer_places()
    return places[0].database if places else 0


def layer_places() -> list[Place]:
    """Return the place of each host of the site's channel layer, if it is from channels_redis."""
    layer = _mapping(_django("CHANNEL_LAYERS")).get(conf.FCS_CHANNEL_LAYER)
    if not _text(_mapping(layer).get("BACKEND")).startswith(_LAYERS):
        return []
    hosts = _mapping(_mapping(layer).get("CONFIG")).get("hosts") or [_USUAL_HOST]
    # channels_redis refuses a single string. An iterator would be empty when it comes to it.
    if not isinstance(hosts, Iterable) or isinstance(hosts, (str, bytes, Iterator)):
        return []
    return [_place(host) for host in hosts]


def cache_places(alias: str) -> list[Place]:
    """Return the place of each server of a cache, if it is a Redis cache."""
    cache = _mapping(_mapping(_django("CACHES")).get(alias))
    if _text(cache.get("BACKEND")) not in _CACHES:
        return []
    locations = cache.get("LOCATION")
    if isinstance(locations, str):
        locations = locations.replace(";", ",").split(",")
    if not isinstance(locations, Sequence):
        return []
    database = _mapping(cache.get("OPTIONS")).get("db")
    return [_place({"address": _text(one).strip(), "db": database}) for one in locations]


def database_number(database: Any) -> int:
    """Return a database number in the form that redis-py takes as an int; 0 if it is none."""
    try:
        number = int(str(database))
    except ValueError:
        return 0
    return number if 0 < number < _DATABASES else 0


def _django(name: str) -> Any:
    try:
        return getattr(settings, name, None)
    except ImproperlyConfigured:  # The feed also works without a Django site.
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _place(host: Any) -> Place:
    try:
        return _read(host)
    except ValueError:  # An int of more digits than Python writes.
        return Place("", 0)


def _read(host: Any) -> Place:
    """Read one entry of ``hosts``, in each of the forms that channels_redis takes."""
    if isinstance(host, Mapping):
        if "address" in host:
            server, database = _in_url(_text(host["address"]))
            return Place(server, database_number(host.get("db") if database is None else database))
        return Place(_server(host), database_number(host.get("db")))
    if isinstance(host, (tuple, list)):
        named = dict(zip(("host", "port"), host, strict=False))
        return Place(_server(named), 0)
    server, database = _in_url(_text(host))
    return Place(server, database_number(database))


def _server(host: Mapping[str, Any]) -> str:
    if "master_name" in host:
        return f"{host['master_name']} of {host.get('sentinels')}"
    if "path" in host:
        return str(host["path"])
    return f"{_name(host.get('host'))}:{host.get('port') or _USUAL_PORT}"


def _name(host: Any) -> str:
    return "127.0.0.1" if host in (None, "", "localhost") else str(host)


@functools.lru_cache(maxsize=128)
def _in_url(url: str) -> tuple[str, str | None]:
    """Return the server and the database of a URL; ``None`` if it names no database.

    As in redis-py, a ``db`` in the query wins over the path.
    """
    try:
        parts = urlsplit(url)
        [database] = parse_qs(parts.query).get("db", [None])[:1]
        if parts.scheme == "unix":
            return unquote(parts.path), database
        if parts.scheme not in ("redis", "rediss"):
            return url, None
        server = f"{_name(unquote(parts.hostname or ''))}:{parts.port or _USUAL_PORT}"
    except ValueError:
        return url, None
    return server, database or _in_path(unquote(parts.path))


def _in_path(path: str) -> str | None:
    try:
        return str(int(path.replace("/", "")))
    except ValueError:
        return None
