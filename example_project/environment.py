"""Read ``FCS_*`` settings from environment variables of the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django_fcs.conf import Setting, Settings

__all__ = ["cache_beside", "fcs_settings"]


def fcs_settings(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the settings that the environment names, each in its own type.

    An empty variable empties a list and leaves any other setting at its default.
    Raises ``ConfigurationError``.
    """
    return {
        name: value_of(setting, environ[name])
        for name, setting in Settings.declared().items()
        if environ.get(name) or (isinstance(setting.default, list) and name in environ)
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


def value_of(setting: Setting[Any], text: str) -> object:
    return None if text == "None" and setting.default is None else setting.read(text)
