"""The mark of this site in the names of what it shares at Redis and in the cache.

Publish and subscribe of Redis know no databases. Without a mark, sites in two databases of
one Redis would receive each other's prices.
"""

from __future__ import annotations

from django_fcs.conf import conf

from .databases import layer_database

__all__ = ["marked", "site_mark"]

_STEM = "fcs"


def site_mark() -> str:
    """Return ``FCS_SITE``, else "db1" if the channel layer is in database 1, else "".

    It depends only on the settings. A call takes some microseconds, so code that builds many
    names calls it once. Raises ``ConfigurationError`` for a wrong ``FCS_SITE``.
    """
    if site := conf.FCS_SITE:
        return site
    database = layer_database()
    return f"db{database}" if database else ""


def marked(name: str, mark: str) -> str:
    """Put a mark into a name that begins with "fcs": ``fcs-db1.hubs`` for ``fcs.hubs``.

    Without a mark the name stays as it is.
    """
    return f"{_STEM}-{mark}{name[len(_STEM) :]}" if mark else name
