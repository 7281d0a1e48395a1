"""Template context for every page of the example."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest

from django_fcs.conf import conf
from django_fcs.site import socket_url
from example_project.look import SWITCHES, looks_of
from example_project.markets import MARKETS

__all__ = ["site"]


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "markets": MARKETS.values(),
        "socket": socket_url(),
        "look": looks_of(request),
        "switches": SWITCHES,
        # A visitor must not take the simulator's prices for real ones.
        "is_simulated": urlsplit(conf.FCS_URL).hostname in ("127.0.0.1", "localhost", "::1"),
    }
