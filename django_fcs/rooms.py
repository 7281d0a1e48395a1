"""A room is a symbol in a timeframe: the unit of joining."""

from __future__ import annotations

import functools
import hashlib
import re

import msgspec

from .conf import conf
from .exceptions import BadSymbol, BadTimeframe
from .sharing.mark import marked, site_mark
from .values.timeframes import ALIASES, TIMEFRAMES

__all__ = ["TIMEFRAMES", "Room", "canonical_timeframe", "check_symbol"]

_EXCHANGE = re.compile(r"[A-Z0-9_]{1,20}")
_TICKER_MAX = 40

#: In characters: exchange, colon and ticker.
SYMBOL_MAX = 20 + 1 + _TICKER_MAX

_THROTTLE = re.compile(r"_\d+s\Z")
_NOT_LEGAL_IN_GROUP = re.compile(rb"[^A-Za-z0-9_.]")
_GROUP_MAX = 99
#: How long stem and ticker are together in a name with a hash.
_KEPT = len("fcs") + 24


def canonical_timeframe(text: str) -> str:
    """Return the canonical spelling of a timeframe.

    Raises ``BadTimeframe`` for anything that ``docs/rooms.md`` does not list. ``2h`` is
    not listed, because nobody has seen the vendor stream it.
    """
    try:
        return ALIASES[text]
    except (KeyError, TypeError):
        known = " ".join(TIMEFRAMES)
        raise BadTimeframe(f"timeframe {excerpt(text)} is not one of {known}") from None


def check_symbol(text: object) -> str:
    """Return the symbol if it is ``EXCHANGE:TICKER``, else raise ``BadSymbol``."""
    if not isinstance(text, str) or text.count(":") != 1:
        raise BadSymbol(f"symbol {excerpt(text)} is not EXCHANGE:TICKER, as in FX:EURUSD")
    if text != text.upper():
        right = f": write {excerpt(text.upper())}" if len(text) <= 100 else ""
        raise BadSymbol(f"symbol {excerpt(text)} is not in upper case{right}")
    exchange, ticker = text.split(":")
    if not _EXCHANGE.fullmatch(exchange):
        raise BadSymbol(f"symbol {excerpt(text)} has no valid exchange before the colon")
    if not 1 <= len(ticker) <= _TICKER_MAX:
        raise BadSymbol(f"symbol {excerpt(text)} needs a ticker of 1 to {_TICKER_MAX} characters")
    if " " in ticker or not ticker.isprintable():
        raise BadSymbol(f"symbol {excerpt(text)} contains a space or a control character")
    return text


def excerpt(value: object) -> str:
    """Return a value for an error: its first characters, in one line and in ASCII."""
    try:
        text = ascii(value[:100] if isinstance(value, (str, bytes)) else value)
    except Exception:  # An integer of more than 4,300 digits, or the value's own code.
        text = f"of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


# A struct, because it caches its hash in C: rooms are looked up for every price.
class Room(msgspec.Struct, frozen=True, cache_hash=True):
    """One symbol in one canonical timeframe."""

    symbol: str
    timeframe: str

    @classmethod
    def parse(cls, symbol: str, timeframe: str | None = None) -> Room:
        """Build a room from what a user wrote; aliases of timeframes are accepted.

        ``timeframe=None`` means the site's ``FCS_TIMEFRAME``.
        Raises ``BadSymbol`` or ``BadTimeframe``, each naming the value.
        """
        wanted = conf.FCS_TIMEFRAME if timeframe is None else timeframe
        return cls(check_symbol(symbol), canonical_timeframe(wanted))

    @classmethod
    def from_text(cls, text: str) -> Room:
        """Read ``FX:EURUSD_1D``, or ``FX:EURUSD`` in the site's timeframe.

        Only a canonical suffix is read as a timeframe: ``NSE:M_M`` is a symbol.
        """
        if isinstance(text, str):
            symbol, _, suffix = text.rpartition("_")
            if suffix in TIMEFRAMES and ":" in symbol:
                return cls.parse(symbol, suffix)
        return cls.parse(text)

    @classmethod
    def from_upstream(cls, text: str) -> Room:
        """Read the vendor's name, such as ``BINANCE:BTCUSDT_1D_0s``, from the right."""
        symbol, _, timeframe = _THROTTLE.sub("", text).rpartition("_")
        return cls.parse(symbol, timeframe)

    def __str__(self) -> str:
        return f"{self.symbol}_{self.timeframe}"

    @property
    def group(self) -> str:
        """The Channels group of this room: valid, unique, under 100 characters.

        For example ``fcs.FX.EURUSD.1D``, or ``fcs-db1.FX.EURUSD.1D`` on a site with the mark
        ``db1``. Bytes that Channels forbids are written as ``-`` and two hex digits. A name
        that would be too long keeps its start, followed by a hash after ``--``, which no other
        name can contain. Raises ``ConfigurationError`` for a wrong ``FCS_SITE``.
        """
        return self.group_of(site_mark())

    def group_of(self, mark: str) -> str:
        """Return the group of this room on a site with this mark."""
        return _group(self.symbol, self.timeframe, mark)


@functools.lru_cache(maxsize=4096)
def _group(symbol: str, timeframe: str, mark: str) -> str:
    stem = marked("fcs", mark)
    exchange, ticker = symbol.split(":")
    safe = _NOT_LEGAL_IN_GROUP.sub(
        lambda match: b"-%02x" % match.group()[0], ticker.encode()
    ).decode()
    name = f"{stem}.{exchange}.{safe}.{timeframe}"
    if len(name) <= _GROUP_MAX:
        return name
    digest = hashlib.sha256(symbol.encode()).hexdigest()[:32]
    kept = safe[: _KEPT - len(stem)]
    return f"{stem}.{exchange}.{kept}--{digest}.{timeframe}"
