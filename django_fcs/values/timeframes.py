"""The timeframes of the vendor, their lengths, and other spellings of them."""

from __future__ import annotations

__all__ = ["ALIASES", "LENGTHS", "LONGEST", "REST_PERIODS", "TIMEFRAMES"]

_HOUR = 3600
_DAY = 86_400

#: Canonical spellings, as the vendor's own chart sends them, and the length of a candle in
#: seconds. A month is the shortest one.
LENGTHS = {
    **{"1": 60, "5": 300, "15": 900, "30": 1800, "60": 3600, "240": 14_400},
    **{"1D": _DAY, "1W": 7 * _DAY, "1M": 28 * _DAY},
}
TIMEFRAMES = tuple(LENGTHS)

#: The most seconds from the opening of a candle to its end. Where clocks are set back, a day has
#: 25 hours.
LONGEST = {
    **LENGTHS,
    **{"1D": _DAY + _HOUR, "1W": 7 * _DAY + _HOUR, "1M": 31 * _DAY + _HOUR},
}

#: A closed list, without ignoring case: 1m is a minute and 1M a month.
ALIASES = {
    **{name: name for name in TIMEFRAMES},
    **{"1m": "1", "1min": "1", "5m": "5", "15m": "15", "30m": "30"},
    **{"60m": "60", "1h": "60", "1H": "60", "4h": "240", "4H": "240"},
    **{"1d": "1D", "D": "1D", "1w": "1W", "W": "1W", "M": "1M"},
}

#: How the vendor's REST API spells them; there, 60 is no hour.
REST_PERIODS = {
    **{"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h"},
    **{"1D": "1D", "1W": "1W", "1M": "1M"},
}
