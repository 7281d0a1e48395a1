"""How numbers, names and times are written on a page, in the active language.

``fcs-elements.js`` does the same, with the separators that the page passes to it; a test
compares the two in every language of Django.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Context, Decimal

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import pgettext

from django_fcs.prices.symbols import parts_of, pip_of
from django_fcs.protocol.bounds import DIGITS_MAX

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
    "separators",
    "signed",
    "spread",
]

#: Shown if a value is not known.
UNKNOWN = "–"  # an en dash is as wide as a digit

_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{THIN SPACE}"

#: A number as large as this is not shown: no price or volume is.
_TOO_LARGE = 1e21
#: Enough digits for any number below the limit.
_EXACT = Context(prec=64, rounding=ROUND_HALF_UP)

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_PERIODS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h"}


def name(symbol: str) -> str:
    """Name an instrument: ``EUR/USD`` for pairs, else the ticker."""
    return "/".join(parts_of(symbol))


def period(timeframe: str) -> str:
    """Shorten a canonical timeframe for display: ``240`` becomes ``4h``."""
    return _PERIODS.get(timeframe, timeframe)


def separators() -> dict[str, str]:
    """Return how the active language writes numbers: ``decimal``, ``thousand``, ``grouping``.

    ``grouping`` has the sizes of the groups from the right, as Django's ``NUMBER_GROUPING``
    has them: ``3``, or ``3 2 0`` for 12,34,567.
    """
    grouping = formats.get_format("NUMBER_GROUPING", use_l10n=True)
    sizes = grouping if isinstance(grouping, (tuple, list)) else (grouping,)
    return {
        "decimal": str(formats.get_format("DECIMAL_SEPARATOR", use_l10n=True)),
        "thousand": str(formats.get_format("THOUSAND_SEPARATOR", use_l10n=True)),
        "grouping": " ".join(map(str, sizes)),
    }


def number(value: float | None, digits: int) -> str:
    """Write a number with fixed decimals, grouped as in the active language."""
    if value is None or not _is_writable(value):
        return UNKNOWN
    digits = min(max(digits, 0), DIGITS_MAX)
    rounded = _rounded(value, digits)
    return (_MINUS if rounded < 0 else "") + _grouped(rounded, digits)


def signed(value: float | None, digits: int) -> str:
    """Write a change with its sign, unless it rounds to zero."""
    text = number(value, digits)
    is_rise = value is not None and value > 0 and any(digit in text for digit in "123456789")
    return "+" + text if is_rise else text


def percent(value: float | None) -> str:
    """Write a change in percent, with two decimals."""
    text = signed(value, 2)
    return text if text == UNKNOWN else f"{text}{_THIN}%"


def compact(value: float | None) -> str:
    """Write a volume with three digits: ``8.19 K``, ``59.0 M``."""
    if value is None or not _is_writable(value):
        return UNKNOWN
    for size, unit in _UNITS:
        # A value that rounds up to a thousand of one unit is written as one of the next unit.
        if value >= size * 0.9995:
            return _three_figures(value / size) + _THIN + unit
    return number(value, 0) if value == int(value) else _three_figures(value)


def spread(value: float | None, symbol: str, digits: int) -> str:
    """Write a spread: in pips if the symbol has them, else in units of price."""
    pip = pip_of(symbol)
    if value is None or pip is None or not _is_writable(value):
        return number(value, digits)
    return pgettext("price", "{n} pips").replace("{n}", number(_in_pips(value, pip), 1))


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


def _is_writable(value: float) -> bool:
    return math.isfinite(value) and abs(value) < _TOO_LARGE


def _in_pips(distance: float, pip: float) -> float:
    return float(_EXACT.divide(Decimal(repr(distance)), Decimal(repr(pip))))


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), context=_EXACT)


def _grouped(rounded: Decimal, digits: int) -> str:
    return str(
        formats.number_format(rounded.copy_abs(), digits, use_l10n=True, force_grouping=True)
    )


def _three_figures(value: float) -> str:
    digits = next((d for d, limit in ((3, 0.9995), (2, 9.995), (1, 99.95)) if value < limit), 0)
    return number(value, digits)
