"""How numbers, names and times are written on a page, in the active language.

``fcs-elements.js`` does the same with ``Intl``; a test compares the two.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import pgettext

from django_fcs.prices.symbols import is_currency_pair, parts_of

__all__ = [
    "UNKNOWN",
    "clock",
    "compact",
    "iso",
    "name",
    "number",
    "opening",
    "percent",
    "period",
    "signed",
    "spread",
]

#: Shown if a value is not known.
UNKNOWN = "–"  # an en dash is as wide as a digit

_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{THIN SPACE}"

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_PERIODS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h"}


def name(symbol: str) -> str:
    """Name an instrument: ``EUR/USD`` for pairs, else the ticker."""
    return "/".join(parts_of(symbol))


def period(timeframe: str) -> str:
    """Shorten a canonical timeframe for display: ``240`` becomes ``4h``."""
    return _PERIODS.get(timeframe, timeframe)


def number(value: float | None, digits: int) -> str:
    """Write a number with fixed decimals, grouped as in the active language."""
    if value is None:
        return UNKNOWN
    rounded = _rounded(value, digits)
    return (_MINUS if rounded < 0 else "") + _grouped(rounded, digits)


def signed(value: float | None, digits: int) -> str:
    """Write a change with its sign, unless it rounds to zero."""
    if value is not None and _rounded(value, digits) > 0:
        return "+" + number(value, digits)
    return number(value, digits)


def percent(value: float | None) -> str:
    """Write a change in percent, with two decimals."""
    return UNKNOWN if value is None else f"{signed(value, 2)}{_THIN}%"


def compact(value: float | None) -> str:
    """Write a volume with three digits: ``8.19 K``, ``59.0 M``."""
    if value is None:
        return UNKNOWN
    for size, unit in _UNITS:
        # A value that rounds up to a thousand of one unit is written as one of the next unit.
        if value >= size * 0.9995:
            return _three_figures(value / size) + _THIN + unit
    return number(value, 0) if value == int(value) else _three_figures(value)


def spread(value: float | None, symbol: str, digits: int) -> str:
    """Write a spread: in pips for currencies, else in units of price."""
    if value is None or not is_currency_pair(symbol):
        return number(value, digits)
    pip = 0.01 if symbol.endswith("JPY") else 0.0001
    return pgettext("price", "{n} pips").replace("{n}", number(value / pip, 1))


def iso(moment: datetime) -> str:
    """Write a moment for machines: ``2025-12-22T13:50:26Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(moment: datetime, *, now: datetime) -> str:
    """Write a moment in the current time zone, with the date unless it is today."""
    local = localtime(moment)
    time = f"{local:%H:%M:%S} {local.tzname()}"
    if local.date() == localtime(now).date():
        return time
    return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {time}"


def opening(moment: datetime, *, now: datetime) -> str:
    """Write when a market opens, in the current time zone: ``Mon 15:30 CET``.

    For today it is only the time. Beyond six days it has the date, because a weekday
    would be ambiguous.
    """
    local = localtime(moment)
    time = f"{local:%H:%M} {local.tzname()}"
    days = (local.date() - localtime(now).date()).days
    if days == 0:
        return time
    return f"{formats.date_format(local, 'D' if 0 < days < 7 else 'j M')} {time}"


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _grouped(rounded: Decimal, digits: int) -> str:
    return str(formats.number_format(abs(rounded), digits, use_l10n=True, force_grouping=True))


def _three_figures(value: float) -> str:
    digits = next((d for d, limit in ((3, 0.9995), (2, 9.995), (1, 99.95)) if value < limit), 0)
    return number(value, digits)
