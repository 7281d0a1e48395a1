"""The time zones of stock exchanges; other markets have no place of their own."""

from __future__ import annotations

from .symbols import exchange_of

__all__ = ["zone_of"]

#: Exchange as the vendor spells it → zone of the IANA database.
_ZONES = {
    **dict.fromkeys(("NASDAQ", "NYSE", "AMEX", "SP", "DJ"), "America/New_York"),
    **dict.fromkeys(("BSE", "NSE"), "Asia/Kolkata"),
    **{"LSE": "Europe/London", "TSE": "Asia/Tokyo", "HKEX": "Asia/Hong_Kong"},
    **{"PSX": "Asia/Karachi", "IDX": "Asia/Jakarta"},
}


def zone_of(symbol: str) -> str:
    """Return the zone of the symbol's exchange, such as ``Asia/Tokyo``; empty if unknown."""
    return _ZONES.get(exchange_of(symbol), "")
