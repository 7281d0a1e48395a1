"""How numbers, names and times are written on a page, in the active language.

``fcs-elements.js`` does the same, with the separators that the page passes to it; a test
compares the two in every language of Django.
"""

from __future__ import annotations

import functools
from datetime import datetime, timezone, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from django.utils import formats
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, pgettext

from django_fcs.prices.symbols import parts_of, pip_of
from django_fcs.protocol.bounds import DIGITS_MAX

from .spared import spared

__all__ = [
    "UNKNOWN",
    "Notation",
    "clock",
    "compact",
    "iso",
    "name",
    "notation_of_page",
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

#: By decimals, to what a number is rounded.
_STEPS = [Decimal(1).scaleb(-digits) for digits in range(DIGITS_MAX + 1)]

_NOT_ZERO = frozenset("123456789")

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_PERIODS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h"}


def name(symbol: str) -> str:
    """Name an instrument: ``EUR/USD`` for pairs, else the ticker."""
    return "/".join(parts_of(symbol))


def period(timeframe: str) -> str:
    """Shorten a canonical timeframe for display: ``240`` becomes ``4h``."""
    return _PERIODS.get(timeframe, timeframe)


class Notation(NamedTuple):
    """How a language writes numbers."""

    decimal: str
    thousand: str
    grouping: str
    """The sizes of the groups from the right, as Django's ``NUMBER_GROUPING`` has them.

    ``3``, or ``3 2 0`` for 12,34,567.
    """
    sizes: tuple[int, ...]
    """The same as numbers; 0 for what is none."""


def notation_of_page() -> Notation:
    """Return how the active language writes numbers."""
    language = get_language()  # Each call costs microseconds.
    grouping = formats.get_format("NUMBER_GROUPING", language, use_l10n=True)
    sizes = grouping if isinstance(grouping, (tuple, list)) else (grouping,)
    return _notation(
        str(formats.get_format("DECIMAL_SEPARATOR", language, use_l10n=True)),
        str(formats.get_format("THOUSAND_SEPARATOR", language, use_l10n=True)),
        " ".join(map(str, sizes)),
    )


def separators(notation: Notation | None = None) -> dict[str, str]:
    """Return ``decimal``, ``thousand`` and ``grouping``, by default of the active language."""
    notation = notation or notation_of_page()
    return {
        "decimal": notation.decimal,
        "thousand": notation.thousand,
        "grouping": notation.grouping,
    }


def number(value: float | None, digits: int, notation: Notation | None = None) -> str:
    """Write a number with fixed decimals, by default grouped as in the active language."""
    if value is None or not _is_writable(value):
        return UNKNOWN
    notation = notation or notation_of_page()
    sign, whole, decimals = _parts(value, min(max(digits, 0), DIGITS_MAX))
    text = sign + _grouped(whole, notation)
    return text + notation.decimal + decimals if decimals else text


def signed(value: float | None, digits: int, notation: Notation | None = None) -> str:
    """Write a change with its sign, which it keeps when it rounds to zero: ``−0.00``."""
    text = number(value, digits, notation)
    if not value or text == UNKNOWN:
        return text
    return (_MINUS if value < 0 else "+") + text.removeprefix(_MINUS)


def percent(value: float | None, notation: Notation | None = None) -> str:
    """Write a change in percent, with two decimals."""
    text = signed(value, 2, notation)
    return text if text == UNKNOWN else f"{text}{_THIN}%"


def compact(value: float | None, notation: Notation | None = None) -> str:
    """Write a volume with three digits: ``8.19 K``, ``59.0 M``."""
    if value is None or not _is_writable(value):
        return UNKNOWN
    for size, unit in _UNITS:
        # A value that rounds up to a thousand of one unit is written as one of the next unit.
        if value >= size * 0.9995:
            return _three_figures(value / size, notation) + _THIN + unit
    is_whole = value == int(value)
    return number(value, 0, notation) if is_whole else _three_figures(value, notation)


def spread(value: float | None, symbol: str, digits: int, notation: Notation | None = None) -> str:
    """Write a spread: in pips if the symbol has them, else in units of price."""
    pip = pip_of(symbol)
    if value is None or pip is None or not _is_writable(value):
        return number(value, digits, notation)
    pips = number(_in_pips(value, pip), 1, notation)
    return pgettext("price", "{n} pips").replace("{n}", pips)


def iso(moment: datetime) -> str:
    """Write a moment for machines: ``2025-12-22T13:50:26Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds")[:19] + "Z"


def clock(moment: datetime, *, now: datetime, zone: tzinfo | None = None) -> str:
    """Write a moment in a time zone, with the date unless it is today; the current is default."""
    zone = zone or get_current_timezone()
    local = moment.astimezone(zone)
    # strftime takes three times as long.
    time = f"{local.hour:02}:{local.minute:02}:{local.second:02} {local.tzname()}"
    if local.date() == now.astimezone(zone).date():
        return time
    return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {time}"


def opening(moment: datetime, *, now: datetime) -> str:
    """Write when a market opens, in the current time zone: ``Mon 15:30 CET``.

    For today it is only the time. Beyond six days it has the date, because a weekday
    would be ambiguous.
    """
    zone = get_current_timezone()
    local = moment.astimezone(zone)
    time = f"{local:%H:%M} {local.tzname()}"
    days = (local.date() - now.astimezone(zone).date()).days
    if days == 0:
        return time
    return f"{formats.date_format(local, 'D' if 0 < days < 7 else 'j M')} {time}"


def _is_writable(value: float) -> bool:
    return -_TOO_LARGE < value < _TOO_LARGE  # False for NaN, too.


@functools.lru_cache(maxsize=64)
def _notation(decimal: str, thousand: str, grouping: str) -> Notation:
    sizes = tuple(int(size) if size.lstrip("-").isdecimal() else 0 for size in grouping.split())
    return Notation(spared(decimal), spared(thousand), spared(grouping), sizes or (0,))


def _in_pips(distance: float, pip: float) -> float:
    return float(_EXACT.divide(Decimal(repr(distance)), Decimal(repr(pip))))


def _parts(value: float, digits: int) -> tuple[str, str, str]:
    """Return the sign, the digits before the point, and as many decimals as wanted."""
    text, is_negative = repr(value), value < 0
    whole, _, decimals = text.partition(".")
    if decimals == "0":
        decimals = ""
    # Most prices need no rounding. A subclass may print itself in any way.
    is_plain = type(value) in (float, int) and "e" not in text
    if not is_plain or len(decimals) > digits:
        rounded = Decimal(text).quantize(_STEPS[digits], context=_EXACT)
        is_negative = rounded < 0
        whole, _, decimals = f"{rounded:f}".partition(".")
    return _MINUS if is_negative else "", whole.lstrip("-"), decimals.ljust(digits, "0")


def _grouped(whole: str, notation: Notation) -> str:
    """Put the separators between the groups; the last size counts for all further ones."""
    size, *others = notation.sizes
    if not 0 < size < len(whole):
        return whole
    groups = []
    while 0 < size < len(whole):
        groups.append(whole[-size:])
        whole = whole[:-size]
        size = (others.pop(0) if others else 0) or size
    return notation.thousand.join([whole, *reversed(groups)])


def _three_figures(value: float, notation: Notation | None) -> str:
    digits = next((d for d, limit in ((3, 0.9995), (2, 9.995), (1, 99.95)) if value < limit), 0)
    return number(value, digits, notation)
