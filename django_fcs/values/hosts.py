"""The hosts of the site, as Django's own setting names them."""

from __future__ import annotations

from django.conf import settings

__all__ = ["hosts_of_site"]


def hosts_of_site() -> list[str]:
    """Return the strings in ``ALLOWED_HOSTS``; Django cannot compare a host with anything else."""
    hosts = settings.ALLOWED_HOSTS
    listed = hosts if isinstance(hosts, (list, tuple, set, frozenset)) else ()
    return [host for host in listed if isinstance(host, str)]
