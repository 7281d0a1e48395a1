"""What ended a connection to the vendor, in words for those who run the site."""

from __future__ import annotations

import asyncio

from websockets.exceptions import ConnectionClosed, InvalidStatus

from django_fcs.exceptions import KeyRefused, UpstreamError
from django_fcs.protocol.address import Address

from .arrivals import Timing

__all__ = ["failure_of"]

#: Close codes that third parties report for a bad key; the vendor lists none.
_REFUSING_CLOSE_CODES = (4001, 4003)
_REFUSING_STATUSES = (401, 403)

#: What websockets says as it closes a connection whose pings are not answered.
_NO_PONG = "keepalive ping timeout"


def failure_of(
    error: Exception, address: Address, timing: Timing, *, welcomed: bool, given_up: str
) -> UpstreamError:
    """Tell a refused key, which retries do not mend, from everything else.

    Refused: HTTP 401 or 403 at the upgrade, or a close with 4001 or 4003 before the welcome.
    All else (DNS, TCP, TLS, other statuses and close codes, time running out) is worth
    another try. ``given_up`` is why we closed it ourselves, if we did.
    """
    place = address.place
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in _REFUSING_STATUSES:
            return KeyRefused(f"{place} refused FCS_API_KEY with HTTP {status}")
        return UpstreamError(f"{place} answered with HTTP {status}")
    if isinstance(error, ConnectionClosed):
        if given_up:
            return UpstreamError(f"{place} was given up: {given_up}")
        return _closed(error, place, welcomed=welcomed)
    if isinstance(error, asyncio.TimeoutError):
        return UpstreamError(f"{place} did not answer in {timing.welcome:g} s")
    strerror = getattr(error, "strerror", None)
    reason = address.without_key(strerror or str(error)) or type(error).__name__
    return UpstreamError(f"cannot reach FCS_URL at {place}: {reason}")


def _closed(error: ConnectionClosed, place: str, *, welcomed: bool) -> UpstreamError:
    if error.sent and error.sent.reason == _NO_PONG:
        return UpstreamError(f"{place} gives no sign of life")
    code = error.rcvd.code if error.rcvd else 1006
    if code in _REFUSING_CLOSE_CODES and not welcomed:
        return KeyRefused(f"{place} refused FCS_API_KEY with close code {code}")
    return UpstreamError(f"{place} closed the connection with code {code}")
