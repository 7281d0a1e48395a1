"""The messages of FCS v4 and of this project's additions to it.

Import them from ``django_fcs.protocol``, which also reads and writes them.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "PRICE_MODES",
    "Candle",
    "CandlesWish",
    "Heartbeat",
    "Join",
    "Joined",
    "Leave",
    "Message",
    "Notice",
    "Ping",
    "Pong",
    "Price",
    "ProfileUpdate",
    "Rate",
    "Refusal",
    "RemoveAll",
    "RoomState",
    "Token",
    "Unknown",
    "Unusable",
    "Welcome",
]

#: Modes of a price; ``close`` is the last state of a candle that ended.
PRICE_MODES = ("initial", "candle", "askbid", "close")


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    pass


class Welcome(_Message, frozen=True, kw_only=True, tag="welcome"):
    """The server accepts this client; ``timestamp`` in unix milliseconds."""

    timestamp: int | None = None


class Ping(_Message, frozen=True, kw_only=True, tag="ping"):
    """A ping in either direction; ``timestamp`` in unix milliseconds."""

    timestamp: int | None = None


class Pong(_Message, frozen=True, kw_only=True, tag="pong"):
    """The answer to a ping; ``timestamp`` in unix milliseconds."""

    timestamp: int | None = None


class Join(_Message, frozen=True, kw_only=True, tag="join_symbol"):
    """A request to join a room; ``token`` is this project's own addition."""

    symbol: str
    timeframe: str | None = None
    token: str | None = None


class Leave(_Message, frozen=True, kw_only=True, tag="leave_symbol"):
    """A request to leave a room."""

    symbol: str
    timeframe: str | None = None


class RemoveAll(_Message, frozen=True, kw_only=True, tag="remove_all"):
    """A request to leave all rooms of a connection."""


class Joined(_Message, frozen=True, kw_only=True, tag="message"):
    """The confirmation ``joined_room``.

    The vendor puts the bare ticker into ``symbol``. Only ``room`` contains the exchange, as
    in ``BINANCE:BTCUSDT_1D_0s``. It is empty if a server does not send it.
    """

    success: bool = msgspec.field(default=True)
    message: str = ""
    room: str = ""
    symbol: str
    timeframe: str
    short: str = "joined_room"

    @classmethod
    def of(cls, symbol: str, timeframe: str) -> Joined:
        """Return the vendor's confirmation with the full symbol, which its clients rejoin with."""
        room = f"{symbol}_{timeframe}_0s"
        message = f"Successfully joined room: {room}"
        return cls(message=message, room=room, symbol=symbol, timeframe=timeframe)


class Notice(_Message, frozen=True, kw_only=True, tag="message"):
    """Any other ``message``."""

    short: str = ""
    message: str = ""


class Refusal(_Message, frozen=True, kw_only=True, tag="error"):
    """A message ``error``: ``short`` is for programs, ``message`` for people."""

    short: str
    message: str = ""


class ProfileUpdate(_Message, frozen=True, kw_only=True, tag="price"):
    """The vendor's description of an instrument, sent once per join."""

    symbol: str
    timeframe: str
    profile: dict[str, Any]


class Candle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A past candle in ``history``; ``t`` in unix seconds."""

    t: int | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the vendor's name
    c: float | None = None
    v: float | None = None


class Price(_Message, frozen=True, kw_only=True, tag="price"):
    """One price frame; fields that it does not have are ``None``.

    ``t`` is the opening time of the candle ``o h l c v`` and ``update`` the time of the
    tick, both in unix seconds; ``a`` and ``b`` are ask and bid. This project adds
    ``pc`` (previous close), ``ch`` and ``chp`` (change, and in percent),
    ``digits``, ``delay`` (seconds), ``seq`` and ``at`` (arrival, unix seconds).
    """

    symbol: str
    timeframe: str
    mode: str
    t: int | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the vendor's name
    c: float | None = None
    v: float | None = None
    a: float | None = None
    b: float | None = None
    update: float | None = None
    history: list[Candle] | None = None
    pc: float | None = None
    ch: float | None = None
    chp: float | None = None
    digits: int | None = None
    delay: int | None = None
    seq: int | None = None
    at: float | None = None


class Rate(_Message, frozen=True, kw_only=True, tag="rate"):
    """How many frames a second a browser requests or was granted."""

    frames_per_second: float


class RoomState(_Message, frozen=True, kw_only=True, tag="state"):
    """The state of a room; see ``django_fcs.prices.states``."""

    symbol: str
    timeframe: str
    state: str
    reason: str = ""
    until: int | None = None
    """When a closed market opens, in unix seconds; ``None`` = not known."""


class Heartbeat(_Message, frozen=True, kw_only=True, tag="beat"):
    """A heartbeat from the stream, which proves the path; ``timestamp`` in unix milliseconds."""

    timestamp: int


class Token(_Message, frozen=True, kw_only=True, tag="token"):
    """A new token for a symbol, before the browser's own expires."""

    symbol: str
    token: str


class CandlesWish(_Message, frozen=True, kw_only=True, tag="candles"):
    """A request of a browser for candles of a room that it has joined."""

    symbol: str
    timeframe: str | None = None
    limit: int
    before: int | None = None
    """The candles open before this time, in unix seconds; ``None`` for the newest."""


class Unknown(_Message, frozen=True, kw_only=True, tag="unknown"):
    """A message of a type that this version does not know."""

    name: str


class Unusable(_Message, frozen=True, kw_only=True, tag="unusable"):
    """What was left out of a frame because it is out of bounds; the rest of it counts.

    It is a value of the price before it, or a whole price of an array.
    """

    reason: str


Message = (
    Welcome
    | Ping
    | Pong
    | Join
    | Leave
    | RemoveAll
    | Joined
    | Notice
    | Refusal
    | ProfileUpdate
    | Price
    | Rate
    | RoomState
    | Heartbeat
    | Token
    | CandlesWish
    | Unknown
    | Unusable
)
