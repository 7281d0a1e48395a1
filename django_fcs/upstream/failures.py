"""Why a connection to the vendor ended."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

from django_fcs.exceptions import FailureKind, KeyRefused, UpstreamError
from django_fcs.protocol.address import Address
from django_fcs.tools.retry_after import retry_after

from .arrivals import Timing

__all__ = ["failure_of"]

#: Close codes that third parties report for a bad key; the vendor documents none.
_REFUSING_CLOSE_CODES = (4001, 4003)

#: The longest pause that is kept if a server asks for one, in seconds.
RETRY_AFTER_MAX = 3600.0

_NO_PROXY = (
    "HTTPS_PROXY, or another variable of the environment, does not contain the address of a proxy: "
    "write it as http://HOST:PORT, or with USER:PASSWORD@ before the host"
)

#: The reason that websockets gives when it closes a connection with unanswered pings.
_NO_PONG = "keepalive ping timeout"


def failure_of(
    error: Exception,
    address: Address,
    timing: Timing,
    *,
    now: float,
    welcomed: bool,
    given_up: str,
) -> UpstreamError:
    """Return the error for a failed connection; only a refused key is a ``KeyRefused``.

    A key is refused by HTTP 401 at the upgrade, or by close code 4001 or 4003 before the
    welcome. Everything else (DNS, TCP, TLS, other statuses and close codes, timeouts) is
    retried. HTTP 403 is too, because proxies and firewalls also send it, and any answer of a
    proxy of the environment. ``now`` is in unix
    seconds. ``given_up`` is the reason if the client closed the connection itself.
    """
    place = address.place
    if isinstance(error, InvalidStatus):
        return _answered(error.response.status_code, error.response.headers, place, now)
    # ``InvalidProxyStatus``, which websockets has since version 15.
    if isinstance(response := getattr(error, "response", None), Response):
        return _answered_by_proxy(response, place, now)
    if isinstance(error, ConnectionClosed):
        if given_up:
            return UpstreamError(FailureKind.ABANDONED, place, detail=given_up)
        return _closed(error, place, welcomed=welcomed)
    if isinstance(error, asyncio.TimeoutError):
        detail = f"did not answer in {timing.welcome:g} s"
        return UpstreamError(FailureKind.TIMEOUT, place, detail=detail)
    if hasattr(error, "proxy"):  # ``InvalidProxy``, whose text contains user and password.
        return UpstreamError(FailureKind.UNREACHABLE, place, detail=_NO_PROXY)
    strerror = getattr(error, "strerror", None)
    detail = address.without_secrets(strerror or str(error)) or type(error).__name__
    return UpstreamError(FailureKind.UNREACHABLE, place, detail=detail)


def _answered(status: int, headers: Headers, place: str, now: float) -> UpstreamError:
    if status == HTTPStatus.UNAUTHORIZED:
        return KeyRefused(place, code=status, detail=f" with HTTP {status}")
    return _retried(status, headers, place, now)


def _answered_by_proxy(response: Response, place: str, now: float) -> UpstreamError:
    """Return the error for a proxy that does not connect; it never refuses the key."""
    status, detail = response.status_code, ""
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        detail = ": set a user and a password for it in the environment"
    return _retried(status, response.headers, f"the proxy before {place}", now, detail)


def _retried(
    status: int, headers: Headers, place: str, now: float, detail: str = ""
) -> UpstreamError:
    asked_for, dates = headers.get_all("Retry-After"), headers.get_all("Date")
    pause = retry_after(asked_for, dates, now, most=RETRY_AFTER_MAX)
    asked = f", and asked to wait for {pause:.0f} s" if pause else ""
    is_forbidden = status == HTTPStatus.FORBIDDEN
    kind = FailureKind.FORBIDDEN if is_forbidden else FailureKind.HTTP_STATUS
    return UpstreamError(kind, place, code=status, detail=asked + detail, retry_after=pause)


def _closed(error: ConnectionClosed, place: str, *, welcomed: bool) -> UpstreamError:
    if error.sent and error.sent.reason == _NO_PONG:
        return UpstreamError(FailureKind.SILENT, place)
    code = error.rcvd.code if error.rcvd else 1006
    if code in _REFUSING_CLOSE_CODES and not welcomed:
        return KeyRefused(place, code=code, detail=f" with close code {code}")
    return UpstreamError(FailureKind.CLOSED, place, code=code)
