"""Which pages may open the socket, and under which name of the site."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.http.request import split_domain_port, validate_host

from django_fcs.conf import conf
from django_fcs.values.hosts import hosts_of_site
from django_fcs.values.origins import read_origin

__all__ = ["Objection", "host_is_allowed", "objection", "origin_is_allowed"]

#: What Django itself allows with DEBUG and no ALLOWED_HOSTS.
_HOSTS_IN_DEBUG = [".localhost", "127.0.0.1", "[::1]"]

#: Django reads more from this header than a handshake needs, and fails at some values.
_NOT_READ = b"content-type"

_SCHEMES_OF_PAGES = ("https", "http")

_FOREIGN = "this origin may not open the socket"
_NOT_SECURE = "an http page may not open a secure socket: load the page over https"


class Objection(NamedTuple):
    """Why a socket may not be opened: the header, its value, and a reason for the client."""

    header: str
    value: str
    reason: str


def objection(scope: Mapping[str, Any]) -> Objection | None:
    """Return what is wrong with the headers of a handshake, or ``None``.

    The ``Host`` must pass ``ALLOWED_HOSTS`` as in Django's own views. The ``Origin`` must
    pass ``origin_is_allowed``; a missing one is allowed, because apps and scripts send
    none, and browsers always send one.
    """
    request = _request(scope)
    header, host = _host(request)
    if host is not None and not host_is_allowed(host):
        return Objection(header, host, f"the {header} header is no host in ALLOWED_HOSTS")
    origin = request.META.get("HTTP_ORIGIN", "")
    is_secure = _is_secure(request)
    if not origin or origin_is_allowed(origin, host or "", is_secure=is_secure):
        return None
    is_allowed_elsewhere = origin_is_allowed(origin, host or "", is_secure=False)
    return Objection("Origin", origin, _NOT_SECURE if is_allowed_elsewhere else _FOREIGN)


def host_is_allowed(host: str) -> bool:
    """Return whether ``ALLOWED_HOSTS`` has this host, which may have a port."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, _hosts())


def origin_is_allowed(origin: str, host: str, *, is_secure: bool) -> bool:
    """Return whether a page of this origin may open the socket at this host.

    It must be listed in ``FCS_ALLOWED_ORIGINS`` (``"https://example.com"``) or be an origin
    of the host itself. If that setting is ``None``, its host may also be in
    ``ALLOWED_HOSTS``. At a secure socket, an ``http`` origin must be listed: anybody on the
    way to its page can write what the page does. An ``https`` origin is never refused for
    its scheme, because a proxy may end TLS and not say so.
    """
    page = read_origin(origin)
    listed = conf.FCS_ALLOWED_ORIGINS
    if listed and ("*" in listed or origin in listed):
        return True
    if page is None:
        return False
    if any(page == read_origin(one) for one in listed or ()):
        return True
    if page.scheme not in _SCHEMES_OF_PAGES or (is_secure and page.scheme == "http"):
        return False
    if page == read_origin(f"{page.scheme}://{host}"):
        return True
    return listed is None and validate_host(page.host, _hosts())


def _hosts() -> list[str]:
    return hosts_of_site() or (_HOSTS_IN_DEBUG if settings.DEBUG else [])


def _request(scope: Mapping[str, Any]) -> ASGIRequest:
    """Return the handshake as a request, so that Django reads its headers."""
    headers = [header for header in scope.get("headers") or () if header[0] != _NOT_READ]
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    what = {"method": "GET", "path": "/", "headers": headers, "scheme": scheme}
    return ASGIRequest({**what, "server": scope.get("server")}, BytesIO())


def _host(request: ASGIRequest) -> tuple[str, str | None]:
    """Return the header that names the host, and the host as ``HttpRequest.get_host`` has it.

    ``get_host`` itself fails at a wrong entry of ``ALLOWED_HOSTS``. The host is ``None`` if
    there is neither a header nor a server, as in tests without a network.
    """
    meta = request.META
    if settings.USE_X_FORWARDED_HOST and "HTTP_X_FORWARDED_HOST" in meta:
        return "X-Forwarded-Host", meta["HTTP_X_FORWARDED_HOST"]
    if "HTTP_HOST" in meta or not request.scope["server"]:
        return "Host", meta.get("HTTP_HOST")
    return "Host", f"{meta['SERVER_NAME']}:{request.get_port()}"


def _is_secure(request: ASGIRequest) -> bool:
    try:
        return bool(request.is_secure())
    except (ImproperlyConfigured, TypeError):  # SECURE_PROXY_SSL_HEADER is not a pair of texts.
        return bool(request.scope["scheme"] == "https")
