"""The address of a chart as an image: signed, so that nobody can ask for another one.

It needs no token: who has the address sees this chart, in a mail for example, and may join no
room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.utils import timezone, translation

from django_fcs.exceptions import BadOption
from django_fcs.rooms import Room, excerpt

__all__ = [
    "FORMATS",
    "RANGES",
    "THEMES",
    "TYPES",
    "WIDTHS",
    "Picture",
    "as_choice",
    "as_language",
    "as_number",
    "as_zone",
    "is_signed",
    "query_of",
    "read",
]

#: What each option may be; the first one is the default.
FORMATS = ("svg", "png")
TYPES = ("candles", "bars", "line", "area")
THEMES = ("light", "dark")

#: How many candles, and how many CSS pixels wide.
RANGES = range(10, 1001)
WIDTHS = range(160, 1201)

_SALT = "django_fcs.charts.addresses"
_SIGNATURE = "signature"


class Picture(NamedTuple):
    """All that decides how the image of a chart looks, except for the prices."""

    room: Room
    type: str
    range: int
    theme: str
    width: int
    zone: str
    """Of the IANA database; ``exchange`` is that of the symbol's exchange."""
    language: str


def query_of(picture: Picture, format: str) -> str:
    """Return what follows ``?`` in the address: each option, and the signature of all."""
    room, *options = picture
    options_by_name = zip(Picture._fields[1:], map(str, options), strict=True)
    given = {"symbol": room.symbol, "timeframe": room.timeframe, **dict(options_by_name)}
    signature = signing.Signer(salt=_SALT).signature(_text(given, format))
    return urlencode({**given, _SIGNATURE: signature}, safe=":/")


def read(given: Mapping[str, str]) -> Picture:
    """Read the parameters of an address, no matter who wrote them. Raises ``RoomError``."""
    known = ("symbol", "timeframe", *Picture._fields[1:])
    for name in given:
        if name not in known and name != _SIGNATURE:
            raise BadOption(f"parameter {excerpt(name)} is not one of {' '.join(known)}")
    get = given.get
    return Picture(
        Room.parse(get("symbol", ""), get("timeframe", "")),
        as_choice("type", get("type"), TYPES),
        as_number("range", get("range"), RANGES),
        as_choice("theme", get("theme"), THEMES),
        as_number("width", get("width"), WIDTHS),
        as_zone(get("zone")),
        as_language(get("language")),
    )


def is_signed(given: Mapping[str, str], format: str) -> bool:
    """Tell whether this site made an address with exactly these parameters."""
    signer = signing.Signer(salt=_SALT)
    options = {name: text for name, text in given.items() if name != _SIGNATURE}
    try:
        signer.unsign(_text(options, format) + signer.sep + given.get(_SIGNATURE, ""))
    except signing.BadSignature:
        return False
    return True


def as_choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return one of the choices. Raises ``BadOption``."""
    if not isinstance(value, str) or value not in choices:
        raise BadOption(f"{name} {excerpt(value)} is not one of {' '.join(choices)}")
    return value


def as_number(name: str, value: object, choices: range) -> int:
    """Return one of the choices, which may be given as a text. Raises ``BadOption``."""
    text = str(value) if type(value) is int and value in choices else value
    if isinstance(text, str) and len(text) <= 4 and text.isascii() and text.isdecimal():
        number = int(text)
        if number in choices:
            return number
    least, most = choices[0], choices[-1]
    raise BadOption(f"{name} {excerpt(value)} is not a whole number from {least} to {most}")


def as_zone(value: object) -> str:
    """Return ``exchange`` or the name of a zone; ``None`` is Django's. Raises ``BadOption``."""
    name = timezone.get_current_timezone_name() if value is None else value
    if name == "exchange":
        return "exchange"
    try:
        return ZoneInfo(name).key  # type: ignore[arg-type]
    except (KeyError, ValueError, TypeError, OSError):
        text = f"zone {excerpt(name)} is not exchange, UTC or a zone such as Europe/Berlin"
        raise BadOption(text) from None


def as_language(value: object) -> str:
    """Return the code of a language; ``None`` is the active one. Raises ``BadOption``."""
    code = translation.get_language() or settings.LANGUAGE_CODE if value is None else value
    if not isinstance(code, str) or not translation.check_for_language(code):
        raise BadOption(f"language {excerpt(code)} is not one of LANGUAGES, such as en or de")
    return code


def _text(given: Mapping[str, str], format: str) -> str:
    return f"{format}?{urlencode(sorted(given.items()))}"
