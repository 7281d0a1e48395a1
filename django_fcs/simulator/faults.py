"""The switches that make the simulator behave differently from the vendor's samples.

The simulator was not tested against the vendor. Where the vendor's documents leave a
question open, a switch offers both answers, and a client must work with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.symbols import market_of
from django_fcs.protocol import Joined
from django_fcs.rooms import Room

from .market import Prices

__all__ = ["Faults", "as_strings"]

_encode = msgspec.json.Encoder().encode

_CHOICES = {
    "confirm": ("bare", "full"),
    "echo": ("joined", "canonical"),
    "unknown_reply": ("error", "silence"),
    "refusal": ("message", "close", "http"),
    "suffix": ("_0s", "_1s"),
    "rest_order": ("ascending", "descending", "shuffled"),
    "rest_form": ("asked", "array", "object"),
    "rest_to": ("inclusive", "exclusive"),
    "rest_cut": ("none", "json", "body", "connection"),
}
_RANGES = {
    "rest_status": (200, 599),
    "rest_seconds": (0, 600),
    "rest_overlap": (0, 10_000),
}
_WORDS = dict.fromkeys(("1", "on", "yes", "true"), True)
_WORDS |= dict.fromkeys(("0", "off", "no", "false"), False)


@dataclass(frozen=True)
class Faults:
    """The simulator's switches; the defaults follow the vendor's samples."""

    # -- confirmations
    confirm: str = "bare"
    """``symbol`` in a confirmation: the ``bare`` ticker or the ``full`` symbol."""
    echo: str = "joined"
    """Timeframes in answers: spelled as ``joined``, or ``canonical``."""
    suffix: str = "_0s"
    """End of ``room`` in a confirmation: ``_0s`` or ``_1s``."""
    unknown: tuple[str, ...] = ()
    """Patterns of symbols and rooms that do not exist, such as ``FX:NO*``."""
    unknown_reply: str = "error"
    """Answer to a join of those: an ``error``, or ``silence``."""
    silent: tuple[str, ...] = ()
    """Patterns of symbols and rooms that are confirmed but never send a price."""

    # -- prices
    history: bool = False
    """Whether ``initial`` lists the candles before."""
    emit_close: bool = False
    """Whether a candle that has ended is sent once more, with mode ``close``."""
    strings: bool = False
    """Whether numbers in prices are strings."""
    candle_sides: bool = True
    """Whether ``candle`` contains ask and bid."""
    forex_volume: bool = True
    """Whether forex prices contain ``v``, which is 0."""
    closed: bool = False
    """Whether the market is closed: ``profile`` and ``initial``, then nothing."""

    # -- the connection
    refusal: str = "message"
    """How a bad key is refused: ``message`` and close, ``close`` only, or ``http`` status."""
    close_code: int = 4001
    """The close code of a refusal."""
    http_status: int = 401
    """The HTTP status of a refusal."""
    retry_after: str = ""
    """``Retry-After`` in a refusal with an HTTP status: seconds or a date; empty means none."""
    welcome_after: float = 0.0
    """Seconds before ``welcome``."""
    drop_early_joins: bool = False
    """Whether joins before ``welcome`` are ignored."""
    pong: bool = True
    """Whether a client's ``ping`` is answered."""
    ping_seconds: float = 25.0
    """Seconds between the server's own pings; 0 means none."""
    drop_after: int = 0
    """Cut a connection without a close frame (1006) after this many frames; 0 means never."""
    arrays: bool = False
    """Whether each frame is an array of everything that waits to be sent."""
    malformed_every: int = 0
    """Send a frame that is not JSON after every so many frames; 0 means never."""

    # -- history over REST
    rest_order: str = "ascending"
    """The order of candles in an answer: ``ascending``, ``descending`` or ``shuffled``."""
    rest_overlap: int = 0
    """How many candles of a page are repeated in the next one."""
    rest_forming: bool = True
    """Whether the current candle is in the answer."""
    rest_form: str = "asked"
    """Candles as an ``array`` or an ``object`` whatever was ``asked``."""
    rest_strings: bool = False
    """Whether numbers in candles are strings."""
    rest_to: str = "inclusive"
    """Whether a candle that opens exactly at ``to`` is in the answer."""
    rest_missing_from: int = 0
    rest_missing_to: int = 0
    """Candles that opened in this time are left out: from the first second, to before the last."""
    rest_empty: bool = False
    """Whether the answer has no candles."""
    rest_message: str = ""
    """Answer ``status: false`` with this ``msg``; empty means no such answer."""
    rest_status: int = 200
    """Refuse with this HTTP status; 200 means no refusal."""
    rest_retry_after: str = ""
    """``Retry-After`` in that refusal: seconds or a date; empty means none."""
    rest_seconds: float = 0.0
    """Seconds before an answer."""
    rest_cut: str = "none"
    """Cut the answer: ``json`` in the text, ``body`` while it is sent, ``connection`` before."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigurationError(f"fault {name} must be one of {', '.join(choices)}")
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(f"fault {name} must be from {least} to {most}")

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Faults:
        """Build faults from ``NAME=VALUE`` texts; a bare ``NAME`` switches a fault on.

        A list is given as patterns separated by commas. Raises ``ConfigurationError`` for an
        unknown name, with a list of all names, and for a wrong value.
        """
        faults = cls()
        known = {field.name for field in fields(cls)}
        for text in texts:
            name, equals, value = text.partition("=")
            name = name.replace("-", "_")
            if name not in known:
                raise ConfigurationError(
                    f"there is no fault {name!r}: choose from {', '.join(sorted(known))}"
                )
            default = getattr(cls, name)
            faults = replace(faults, **{name: _value(name, default, value if equals else "on")})
        return faults

    def knows(self, room: Room) -> bool:
        """Tell whether the room exists."""
        return not _fits(room, self.unknown)

    def silences(self, room: Room) -> bool:
        """Tell whether the room is confirmed but gets no prices."""
        return _fits(room, self.silent)

    def confirmation(self, room: Room, spelling: str) -> Joined:
        """Return the answer to a join; ``spelling`` is the timeframe as it is spelled there."""
        name = f"{room.symbol}_{spelling}{self.suffix}"
        return Joined(
            message=f"Successfully joined room: {name}",
            room=name,
            symbol=room.symbol if self.confirm == "full" else room.symbol.partition(":")[2],
            timeframe=spelling,
        )

    def price(self, room: Room, spelling: str, prices: Prices) -> str:
        """Return the text of a price frame."""
        left_out = set()
        if not self.candle_sides and prices.get("mode") == "candle":
            left_out |= {"a", "b"}
        if not self.forex_volume and market_of(room.symbol) == "forex":
            left_out.add("v")
        prices = {name: value for name, value in prices.items() if name not in left_out}
        frame: dict[str, Any] = {"type": "price", "symbol": room.symbol, "timeframe": spelling}
        # Not protocol.serialise: a recording keeps fields that the protocol does not know.
        return _encode({**frame, "prices": as_strings(prices) if self.strings else prices}).decode()


def as_strings(value: Any) -> Any:
    """Convert every number to a string without an exponent."""
    if isinstance(value, dict):
        return {name: as_strings(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_strings(inner) for inner in value]
    return format(Decimal(repr(value)), "f") if isinstance(value, (int, float)) else value


def _fits(room: Room, patterns: Iterable[str]) -> bool:
    names = (room.symbol, str(room))
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _value(name: str, default: object, text: str) -> Any:
    try:
        if isinstance(default, bool):
            return _WORDS[text.lower()]
        if isinstance(default, tuple):
            return tuple(pattern.strip() for pattern in text.split(","))
        if isinstance(default, (int, float)):
            return type(default)(text)
    except (KeyError, ValueError):
        kind = "on or off" if isinstance(default, bool) else "a number"
        raise ConfigurationError(f"fault {name} takes {kind}, not {text!r}") from None
    return text
