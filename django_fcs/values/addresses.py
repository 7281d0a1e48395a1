"""What a network address says of the machine that has it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

__all__ = ["is_internal"]

_LOOPBACK = IPv6Address("::1")


def is_internal(address: str) -> bool:
    """Tell whether an address or network is not of the Internet, as that of a proxy often is.

    A name counts as one of the Internet.
    """
    try:
        network = ip_network(address)
    except ValueError:
        return False
    return not network.is_global or _LOOPBACK in network
