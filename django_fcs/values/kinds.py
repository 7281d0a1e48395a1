"""What a setting may hold: how it is read, and which values are refused.

A kind reads what is unambiguous, such as ``"10"`` from the environment for a number, and
raises ``ValueError`` for the rest. ``expects`` completes "it must be ...".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from django.utils.functional import Promise

from .timeframes import ALIASES, TIMEFRAMES

__all__ = [
    "Counts",
    "Kind",
    "Link",
    "Mark",
    "Names",
    "Number",
    "OrNone",
    "Text",
    "Texts",
    "Timeframe",
    "Whole",
    "Word",
    "shown",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: The longest string that a setting may hold, or contain in a list.
TEXT_MAX = 1000

#: The longest name that a page shows.
NAME_MAX = 100

#: How many characters of a value a message shows.
_SHOWN_MAX = 40


class Kind(Protocol[T_co]):
    """A type with its range."""

    @property
    def expects(self) -> str:
        """What a value must be, in words."""

    def read(self, value: object) -> T_co:
        """Return the value in its own type. Raises ``ValueError``."""


class Text:
    """A string of one line, at most ``TEXT_MAX`` characters long."""

    expects = f"a string of at most {TEXT_MAX} printable characters"

    def read(self, value: object) -> str:
        """Return the string; a lazy one is evaluated. Raises ``ValueError``."""
        if isinstance(value, Promise):
            value = str(value)
        if not isinstance(value, str) or len(value) > TEXT_MAX or not value.isprintable():
            raise ValueError
        return value


class Word(Text):
    """A string without spaces, such as a key."""

    expects = f"{Text.expects} without spaces"

    def read(self, value: object) -> str:
        """Return the string. Raises ``ValueError``."""
        text = super().read(value)
        if " " in text:
            raise ValueError
        return text


class Timeframe:
    """A timeframe of the vendor, in any spelling."""

    expects = f"one of the timeframes {' '.join(TIMEFRAMES)}"

    def read(self, value: object) -> str:
        """Return the timeframe as it is spelled; it may be a number. Raises ``ValueError``."""
        text = str(value) if type(value) is int else value
        if not isinstance(text, str) or text not in ALIASES:
            raise ValueError
        return text


class Link(Word):
    """A path on this site, or an address on another host."""

    expects = 'a path such as "/ws/fcs/", or an address such as "wss://example.com/ws/fcs/"'

    _SCHEMES = ("ws", "wss", "http", "https")

    def read(self, value: object) -> str:
        """Return the string. Raises ``ValueError``."""
        text = super().read(value)
        parts = urlsplit(text)
        if text.startswith("/") and not text.startswith("//"):
            return text
        if parts.scheme not in self._SCHEMES and not text.startswith("//"):
            raise ValueError
        if not parts.hostname or parts.port == 0:  # A port that is no number raises ValueError.
            raise ValueError
        return text


class Mark:
    """A short name for use in other names; an empty string is no name."""

    expects = "1 to 16 lower-case letters and digits, such as shop2"

    _LETTERS = re.compile(r"[a-z0-9]{0,16}")

    def read(self, value: object) -> str:
        """Return the name. Raises ``ValueError``."""
        if not isinstance(value, str) or not self._LETTERS.fullmatch(value):
            raise ValueError
        return value


class Number:
    """A number of a range, both ends included; an int stays one."""

    def __init__(self, least: float, most: float) -> None:
        self._least = least
        self._most = most

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        return f"a number from {self._least:.15g} to {self._most:.15g}"

    def read(self, value: object) -> float:
        """Return the number. Raises ``ValueError``."""
        number = float(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError
        # False for NaN, too. An int is compared as it is: it may be too large for a float.
        if not self._least <= number <= self._most:
            raise ValueError
        return number


class Whole:
    """A whole number of a range, both ends included."""

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        return f"a whole number from {self._least} to {self._most}"

    @property
    def plural(self) -> str:
        """What several values must be, in words."""
        return f"whole numbers from {self._least} to {self._most}"

    def read(self, value: object) -> int:
        """Return the number; ``10.0`` is ``10``, also as text. Raises ``ValueError``."""
        number: object = _number(value) if isinstance(value, str) else value
        if isinstance(number, float) and math.isfinite(number) and number == int(number):
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError
        if not self._least <= number <= self._most:
            raise ValueError
        return number


class Texts:
    """A list of strings; in one string, commas separate them.

    Read letter by letter, ``"FX:*"`` would contain ``"*"``, which allows everything.
    """

    expects = "a list of strings"

    def read(self, value: object) -> list[str]:
        """Return the list; a set is sorted. Raises ``ValueError``."""
        if isinstance(value, str):
            return _listed(value)
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError
        texts = [_TEXT.read(item) for item in value]
        return sorted(texts) if isinstance(value, (set, frozenset)) else texts


class Counts:
    """Whole numbers by name; in one string, ``"a=1,b=2"``."""

    def __init__(self, of: Whole) -> None:
        self._of = of

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        return f"a dict from strings to {self._of.plural}"

    def read(self, value: object) -> dict[str, int]:
        """Return the dict. Raises ``ValueError``."""
        if isinstance(value, str):
            pairs = (item.rpartition("=") for item in _listed(value))
            value = {name.strip(): number for name, _, number in pairs}
        if not isinstance(value, Mapping):
            raise ValueError
        return {_TEXT.read(name): self._of.read(number) for name, number in value.items()}


class Names:
    """Names by symbol; in one string, ``"a=One,b=Two"``, where no name contains a comma."""

    expects = f"a dict from strings to names of at most {NAME_MAX} printable characters"

    def read(self, value: object) -> dict[str, str]:
        """Return the dict; lazy names are evaluated. Raises ``ValueError``."""
        if isinstance(value, str):
            pairs = (item.rpartition("=") for item in _listed(value))
            value = {symbol.strip(): name for symbol, _, name in pairs}
        if not isinstance(value, Mapping) or "" in value:
            raise ValueError
        return {_TEXT.read(symbol): _name(name) for symbol, name in value.items()}


class OrNone(Generic[T]):
    """A kind that may also be ``None``; so is an empty text that the kind itself refuses."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind = kind

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        return f"{self._kind.expects}, or None"

    def read(self, value: object) -> T | None:
        """Return the value in its own type. Raises ``ValueError``."""
        if value is None:
            return None
        try:
            return self._kind.read(value)
        except ValueError:
            if value == "":
                return None
            raise


_TEXT = Text()


def shown(value: object) -> str:
    """Write a wrong value for a message, in a few plain characters."""
    if isinstance(value, (str, bytes)):
        text = ascii(value[: _SHOWN_MAX + 1])
        return text if len(value) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, int) and abs(value) < 10**_SHOWN_MAX:
        return repr(value)
    return f"a value of type {type(value).__name__}"


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _name(value: object) -> str:
    # A string that is marked as safe would not be escaped.
    name = str.__str__(_TEXT.read(value)).strip()
    if not 1 <= len(name) <= NAME_MAX:
        raise ValueError
    return name


def _listed(text: str) -> list[str]:
    return [_TEXT.read(item.strip()) for item in text.split(",") if item.strip()]
