"""The time zones and hours of stock exchanges; other markets have no place of their own."""

from __future__ import annotations

from .symbols import exchange_of

__all__ = ["regular_hours", "zone_of"]

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


#: Exchange → its regular hours, in minutes of its own day. Only those that trade before and after
#: them; on the others, all trading is within the hours.
_HOURS = dict.fromkeys(("NASDAQ", "NYSE", "AMEX"), (9 * 60 + 30, 16 * 60))


def regular_hours(symbol: str) -> tuple[int, int] | None:
    """Return when the symbol's exchange opens and closes, in minutes of its own day.

    ``None`` if it is not known, or if nothing is traded outside of its hours. On the few days on
    which it closes early, it is the usual time.
    """
    return _HOURS.get(exchange_of(symbol))
