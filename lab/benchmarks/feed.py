"""The rooms and the price texts that all peers carry."""

from __future__ import annotations

import json
import math

__all__ = ["JOIN_TIMEFRAME", "STAMP", "PriceText", "confirmation", "join", "symbol"]

JOIN_TIMEFRAME = "1D"

#: What comes right before the moment of sending, in a price as the source writes it.
STAMP = b'"update":'

_OPENED = 1766361600


def symbol(number: int) -> str:
    """Name a room's instrument; an exchange that never closes, as prices never pause."""
    return f"BINANCE:R{number:04d}"


def join(number: int) -> bytes:
    """Write the wish for a room, as every peer understands it."""
    wish = {"type": "join_symbol", "symbol": symbol(number), "timeframe": JOIN_TIMEFRAME}
    return json.dumps(wish, separators=(",", ":")).encode()


def confirmation(name: str, timeframe: str) -> bytes:
    """Confirm a join as the vendor does, with the bare ticker."""
    room = f"{name}_{timeframe}_0s"
    message = {
        "type": "message",
        "success": True,
        "message": f"Successfully joined room: {room}",
        "room": room,
        "symbol": name.rpartition(":")[2],
        "timeframe": timeframe,
        "short": "joined_room",
    }
    return json.dumps(message, separators=(",", ":")).encode()


class PriceText:
    """The prices of one room, one after the other, prepared but for what changes."""

    def __init__(self, name: str, timeframe: str) -> None:
        self._head = f'{{"type":"price","symbol":"{name}","timeframe":"{timeframe}","prices":'
        self._ticks = 0

    def next(self, mode: str, now: float) -> bytes:
        """Write the next price, sent at ``now`` (unix seconds)."""
        self._ticks += 1
        close = 88000 + 900 * math.sin(self._ticks / 50)
        return (
            f'{self._head}{{"mode":"{mode}","t":{_OPENED},"o":88658.87,"h":89990.23,"l":87000.5,'
            f'"c":{close:.2f},"v":{8192 + self._ticks},"a":{close + 0.01:.2f},"b":{close:.2f},'
            f'"update":{now:.6f}}}}}'
        ).encode()
