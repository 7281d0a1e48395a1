"""The timeframes of the vendor, and other spellings of them."""

from __future__ import annotations

__all__ = ["ALIASES", "TIMEFRAMES"]

#: Canonical spellings, as the vendor's own chart sends them.
TIMEFRAMES = ("1", "5", "15", "30", "60", "240", "1D", "1W", "1M")

#: A closed list, without ignoring case: 1m is a minute and 1M a month.
ALIASES = {
    **{name: name for name in TIMEFRAMES},
    **{"1m": "1", "1min": "1", "5m": "5", "15m": "15", "30m": "30"},
    **{"60m": "60", "1h": "60", "1H": "60", "4h": "240", "4H": "240"},
    **{"1d": "1D", "D": "1D", "1w": "1W", "W": "1W", "M": "1M"},
}
