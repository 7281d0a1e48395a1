"""The hosts of the site, as Django's own setting names them."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

__all__ = ["hosts_of_site", "strange_hosts"]


def hosts_of_site() -> list[str]:
    """Return the strings in ``ALLOWED_HOSTS``; Django cannot compare a host with anything else."""
    return [host for host in _listed() or () if isinstance(host, str)]


def strange_hosts() -> list[object]:
    """Return what in ``ALLOWED_HOSTS`` is no string: its items, or the value if it is no list."""
    hosts = _listed()
    if hosts is None:
        return [settings.ALLOWED_HOSTS]
    return [host for host in hosts if not isinstance(host, str)]


def _listed() -> Collection[object] | None:
    hosts = settings.ALLOWED_HOSTS
    return hosts if isinstance(hosts, (list, tuple, set, frozenset)) else None
