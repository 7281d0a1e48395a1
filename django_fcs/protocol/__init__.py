"""FCS v4 and this project's additions to it: ``parse``, ``serialise`` and the messages."""

from __future__ import annotations

from .frames import parse, parse_wishes, serialise
from .messages import (
    PRICE_MODES,
    Candle,
    Heartbeat,
    Join,
    Joined,
    Leave,
    Message,
    Notice,
    Ping,
    Pong,
    Price,
    ProfileUpdate,
    Rate,
    Refusal,
    RemoveAll,
    RoomState,
    Token,
    Unknown,
    Unusable,
    Welcome,
)

__all__ = [
    "PRICE_MODES",
    "Candle",
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
    "parse",
    "parse_wishes",
    "serialise",
]
