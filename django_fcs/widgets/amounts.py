"""What the arguments of a converter may be, and how an amount that a visitor types is read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import partial
from itertools import islice

from django.utils.functional import Promise

from django_fcs.exceptions import BadOption, RoomError
from django_fcs.prices.crosses import CODES
from django_fcs.rooms import excerpt

from .formats import Notation
from .refusals import unless_refused

__all__ = [
    "AMOUNT_MAX",
    "as_base",
    "as_currencies",
    "as_prefix",
    "currencies_of",
    "parse",
    "text_of",
]

#: An amount is smaller than this. Larger ones have no exact cents.
AMOUNT_MAX = 1e15

#: How many characters an amount may have.
_LENGTH_MAX = 32

#: Repetitions count, and are left out.
_GIVEN_MAX = 500

_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PLAIN = re.compile(r"\d+(?:\.\d+)?", re.ASCII)

#: Arabic, Persian and full-width digits and marks, as keyboards in these languages write them.
_OTHER_DIGITS = str.maketrans(
    {first + digit: str(digit) for first in (0x660, 0x6F0, 0xFF10) for digit in range(10)}
    | {0xFF0E: ".", 0xFF0C: ","}
)
_ARABIC_DECIMAL, _ARABIC_THOUSAND = "\N{ARABIC DECIMAL SEPARATOR}", "\N{ARABIC THOUSANDS SEPARATOR}"

#: What some languages write between three digits, besides points and commas.
_GAP = re.compile("([0-9])[ '\N{RIGHT SINGLE QUOTATION MARK}\xa0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
#: Around an amount: spaces, and marks of direction that are copied with it.
_AROUND = " \t\r\n\xa0\u2009\u202f\u200e\u200f"
_NUMBER = re.compile(r"(?=[.,]?[0-9])([0-9.,]*?)(?:([.,])([0-9]*))?")
#: The last group has three digits, the others have two in India.
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{2,3})*[.,][0-9]{3}")


def as_currencies(value: object) -> object:
    """Return a literal as it is. Raises ``RoomError`` if it names no currencies."""
    for one in _items(value):
        _currency("currencies", one)
    return value


def as_base(value: object) -> str:
    """Return the code of a currency. Raises ``BadOption``."""
    return _currency("base", value)


def as_prefix(value: object) -> str:
    """Return what the names of fields begin with; "" is nothing. Raises ``BadOption``."""
    prefix = str(value) if isinstance(value, (str, Promise)) else value
    if not isinstance(prefix, str) or (prefix and not _PREFIX.fullmatch(prefix)):
        raise BadOption(
            f"prefix {excerpt(prefix)} is not a text of at most 32 lower-case letters, digits "
            "and hyphens that starts with a letter"
        )
    return str.__str__(prefix)


def currencies_of(value: object) -> tuple[str, ...]:
    """Return the currencies of a text or an iterable, each once.

    A wrong one is left out: the log says so once. Raises ``BadOption`` with ``DEBUG``, or if none
    is left.
    """
    read = (
        unless_refused(partial(_currency, "currencies", one), _nothing) for one in _items(value)
    )
    found = tuple(dict.fromkeys(code for code in read if code))
    if not found:
        raise BadOption(
            "currencies has none; a generator can be read only once, so pass a text or a list"
        )
    return found


def parse(text: str, notation: Notation) -> float | None:
    """Read an amount that a visitor has typed; ``None`` if it is none below ``AMOUNT_MAX``.

    The last mark is the decimal one if both kinds are there, or if no thousands could end so. What
    may be either is read as the page writes numbers. ``fcs-converter.js`` reads the same.
    """
    if len(text) > _LENGTH_MAX:
        return None
    text = text.strip(_AROUND).translate(_OTHER_DIGITS)
    text = text.replace(_ARABIC_DECIMAL, notation.decimal)
    text = text.replace(_ARABIC_THOUSAND, notation.thousand)
    match = _NUMBER.fullmatch(_GAP.sub(r"\1", text))
    if match is None:
        return None
    whole, mark, decimals = match[1], match[2] or "", match[3] or ""
    if mark and _is_thousand(whole, mark, decimals, notation):
        whole, mark, decimals = whole + mark + decimals, "", ""
    if set(whole) & {".", ","} and not _is_grouped(whole, mark):
        return None
    value = float(re.sub("[.,]", "", whole) + "." + decimals + "0")
    return value if value < AMOUNT_MAX else None


def text_of(value: object, notation: Notation) -> str:
    """Return an argument as a visitor would type it; what is no amount stays as it is."""
    if isinstance(value, (str, Promise)):
        text = str(value)
        is_plain = len(text) <= _LENGTH_MAX and _PLAIN.fullmatch(text)
        return text.replace(".", notation.decimal) if is_plain else text
    try:
        number = math.nan if isinstance(value, (bool, bytes)) else float(value)  # type: ignore[arg-type]
    except (ArithmeticError, TypeError, ValueError):
        number = math.nan
    if not 0 <= number < AMOUNT_MAX:
        return ""
    text = f"{number:.8f}".rstrip("0").rstrip(".")
    return text.replace(".", notation.decimal)


def _is_thousand(whole: str, mark: str, decimals: str, notation: Notation) -> bool:
    """Tell whether the last mark separates thousands, not decimals."""
    if mark in whole:
        return True
    if set(whole) & {".", ","} or mark == notation.decimal:
        return False
    # Languages without a separator of thousands, such as Chinese, are typed with the other mark.
    thousand = notation.thousand or {".": ",", ",": "."}.get(notation.decimal)
    return mark == thousand and _GROUPED.fullmatch(whole + mark + decimals) is not None


def _is_grouped(whole: str, decimal: str) -> bool:
    marks = set(whole) & {".", ","}
    return len(marks) == 1 and decimal not in marks and _GROUPED.fullmatch(whole) is not None


def _items(value: object) -> list[object]:
    if isinstance(value, (str, Promise)):
        text = str(value)
        return list(islice(text.replace(",", " ").split(), _GIVEN_MAX))
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise BadOption(f"currencies of type {type(value).__name__} is no text or list of codes")
    return list(islice(value, _GIVEN_MAX))


def _currency(name: str, value: object) -> str:
    code = str(value) if isinstance(value, (str, Promise)) else value
    if not isinstance(code, str) or code not in CODES:
        raise BadOption(f"{name} {excerpt(code)} is not one of {' '.join(CODES)}")
    return str.__str__(code)


def _nothing(error: RoomError) -> str:
    """Leave out a currency with a wrong value."""
    return ""
