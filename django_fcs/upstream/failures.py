"""Why a connection to the vendor ended."""

from __future__ import annotations

import asyncio

from websockets.exceptions import ConnectionClosed, InvalidStatus

from django_fcs.exceptions import FailureKind, KeyRefused, UpstreamError
from django_fcs.protocol.address import Address

from .arrivals import Timing

__all__ = ["failure_of"]

#: Close codes that third parties report for a bad key; the vendor documents none.
_REFUSING_CLOSE_CODES = (4001, 4003)
_REFUSING_STATUSES = (401, 403)

#: The reason that websockets gives when it closes a connection with unanswered pings.
_NO_PONG = "keepalive ping timeout"


def failure_of(
    error: Exception, address: Address, timing: Timing, *, welcomed: bool, given_up: str
) -> UpstreamError:
    """Return the error for a failed connection; only a refused key is a ``KeyRefused``.

    A key is refused by HTTP 401 or 403 at the upgrade, or by close code 4001 or 4003 before
    the welcome. Everything else (DNS, TCP, TLS, other statuses and close codes, timeouts) is
    retried. ``given_up`` is the reason if the client closed the connection itself.
    """
    place = address.place
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in _REFUSING_STATUSES:
            return KeyRefused(place, code=status, detail=f" with HTTP {status}")
        return UpstreamError(FailureKind.HTTP_STATUS, place, code=status)
    if isinstance(error, ConnectionClosed):
        if given_up:
            return UpstreamError(FailureKind.ABANDONED, place, detail=given_up)
        return _closed(error, place, welcomed=welcomed)
    if isinstance(error, asyncio.TimeoutError):
        detail = f"did not answer in {timing.welcome:g} s"
        return UpstreamError(FailureKind.TIMEOUT, place, detail=detail)
    strerror = getattr(error, "strerror", None)
    detail = address.without_secrets(strerror or str(error)) or type(error).__name__
    return UpstreamError(FailureKind.UNREACHABLE, place, detail=detail)


def _closed(error: ConnectionClosed, place: str, *, welcomed: bool) -> UpstreamError:
    if error.sent and error.sent.reason == _NO_PONG:
        return UpstreamError(FailureKind.SILENT, place)
    code = error.rcvd.code if error.rcvd else 1006
    if code in _REFUSING_CLOSE_CODES and not welcomed:
        return KeyRefused(place, code=code, detail=f" with close code {code}")
    return UpstreamError(FailureKind.CLOSED, place, code=code)
