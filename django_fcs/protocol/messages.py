"""The messages of FCS v4 and of this project's additions to it.

Import them from ``django_fcs.protocol``, which reads and writes them.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "PRICE_MODES",
    "Beat",
    "Candle",
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
    "Unknown",
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
    """A heartbeat, either way; ``timestamp`` in unix milliseconds."""

    timestamp: int | None = None


class Pong(_Message, frozen=True, kw_only=True, tag="pong"):
    """The answer to a ping; ``timestamp`` in unix milliseconds."""

    timestamp: int | None = None


class Join(_Message, frozen=True, kw_only=True, tag="join_symbol"):
    """A wish for a room; ``token`` is this project's own addition."""

    symbol: str
    timeframe: str | None = None
    token: str | None = None


class Leave(_Message, frozen=True, kw_only=True, tag="leave_symbol"):
    """The end of that wish."""

    symbol: str
    timeframe: str | None = None


class RemoveAll(_Message, frozen=True, kw_only=True, tag="remove_all"):
    """The end of all wishes of a connection."""


class Joined(_Message, frozen=True, kw_only=True, tag="message"):
    """The confirmation ``joined_room``.

    The vendor puts the bare ticker into ``symbol``; only ``room`` is whole, as
    ``BINANCE:BTCUSDT_1D_0s``. It is empty where a server leaves it out.
    """

    success: bool = msgspec.field(default=True)
    message: str = ""
    room: str = ""
    symbol: str
    timeframe: str
    short: str = "joined_room"


class Notice(_Message, frozen=True, kw_only=True, tag="message"):
    """Any other ``message``."""

    short: str = ""
    message: str = ""


class Refusal(_Message, frozen=True, kw_only=True, tag="error"):
    """An ``error``: ``short`` is for programs, ``message`` for people."""

    short: str
    message: str = ""


class ProfileUpdate(_Message, frozen=True, kw_only=True, tag="price"):
    """What the vendor knows of an instrument, once a join."""

    symbol: str
    timeframe: str
    profile: dict[str, Any]


class Candle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A candle of the past, as ``history`` lists them; ``t`` in unix seconds."""

    t: int | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the vendor's name
    c: float | None = None
    v: float | None = None


class Price(_Message, frozen=True, kw_only=True, tag="price"):
    """One price frame; ``None`` stands for what it does not carry.

    ``t`` opens the candle ``o h l c v`` and ``update`` is the time of the tick,
    both in unix seconds; ``a`` and ``b`` are ask and bid. This project adds
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
    """How many frames a second a browser wants, or was granted."""

    frames_per_second: float


class RoomState(_Message, frozen=True, kw_only=True, tag="state"):
    """What a room's price may claim to be; see ``django_fcs.prices.states``."""

    symbol: str
    timeframe: str
    state: str
    reason: str = ""
    until: int | None = None
    """When a closed market opens, in unix seconds, where that is known."""


class Beat(_Message, frozen=True, kw_only=True, tag="beat"):
    """The whole path from the stream is alive; unix milliseconds."""

    timestamp: int


class Unknown(_Message, frozen=True, kw_only=True, tag="unknown"):
    """A message of a type that this version does not know."""

    name: str


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
    | Beat
    | Unknown
)
