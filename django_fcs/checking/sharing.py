"""Checks of what a site shares with others at Redis, and the lines to paste for a cache there."""

from __future__ import annotations

import re

from django.core.checks import CheckMessage, Warning

from django_fcs.conf import conf
from django_fcs.sharing.databases import cache_places, layer_database, layer_places
from django_fcs.sharing.mark import site_mark

__all__ = ["check_sharing", "redis_cache"]

#: The cache of a site is in the database of its channel layer plus this. The next database
#: may hold the channel layer of the next site.
_CACHE_ABOVE = 8

_REDIS_CACHE = (
    'CACHES = {{"{alias}": {{"BACKEND": "django.core.cache.backends.redis.RedisCache", '
    '"LOCATION": "redis://localhost:6379/{database}"}}}}'
)
_OF_A_DATABASE = re.compile(r"db[0-9]+")


def redis_cache() -> str:
    """Return the lines that put the site's cache into a Redis database of its own."""
    database = layer_database() + _CACHE_ABOVE
    return _REDIS_CACHE.format(alias=conf.FCS_CACHE, database=database)


def check_sharing() -> list[CheckMessage]:
    """Check the mark of the site, and that ``cache.clear()`` clears nothing but the cache."""
    return [*_check_mark(site_mark()), *_check_databases()]


def _check_mark(mark: str) -> list[CheckMessage]:
    if not _OF_A_DATABASE.fullmatch(mark) or mark == f"db{layer_database()}":
        return []
    text = f"FCS_SITE is {mark!r}, which is the mark of a site in that database of Redis."
    return [Warning(text, "Choose a name that does not begin with db.", id="fcs.W017")]


def _check_databases() -> list[CheckMessage]:
    shared = {*layer_places()} & {*cache_places(conf.FCS_CACHE)}
    if not shared:
        return []
    text = (
        f"The channel layer and the cache {conf.FCS_CACHE!r} are in one Redis database: "
        "cache.clear() also deletes the lease, and the stream stops for some seconds."
    )
    database = min(shared).database + _CACHE_ABOVE
    hint = f"Put the cache into another database, for example {database}: {redis_cache()}."
    return [Warning(text, hint, id="fcs.W016")]
