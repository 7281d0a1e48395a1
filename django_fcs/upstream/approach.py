"""How to reach a host with several addresses, some of which may not answer.

On a machine with a broken IPv6 route, for example, the first address never answers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from inspect import signature
from typing import Any

from django_fcs.exceptions import FailureKind, UpstreamError

__all__ = ["Approach"]

#: After this long without an answer, the next address is tried too, in seconds (RFC 8305).
NEXT_ADDRESS_SECONDS = 0.25

_RACING = "happy_eyeballs_delay"


class Approach:
    """The arguments for ``loop.create_connection`` of each attempt to reach ``host``."""

    def __init__(self, host: str) -> None:
        self._has_one_address = _is_address(host)
        self._only_ipv4 = False

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for the next attempt.

        asyncio tries the addresses in parallel. uvloop does not, and one address that does
        not answer takes all the time of an attempt. With it, the attempts after such a
        failure take turns between IPv4 and all addresses.
        """
        if self._has_one_address:
            return {}
        if _RACING in signature(asyncio.get_running_loop().create_connection).parameters:
            return {_RACING: NEXT_ADDRESS_SECONDS}
        return {"family": socket.AF_INET} if self._only_ipv4 else {}

    def note(self, error: UpstreamError) -> None:
        """Note how the attempt failed."""
        self._only_ipv4 = error.kind is FailureKind.TIMEOUT and not self._only_ipv4


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
