"""The rooms and price texts that all peers use."""

from __future__ import annotations

import json
import math

__all__ = ["JOIN_TIMEFRAME", "STAMP", "PriceText", "confirmation", "join", "symbol"]

JOIN_TIMEFRAME = "1D"

#: The bytes before the time of sending in a price of the source.
STAMP = b'"update":'

_OPENED = 1766361600


def symbol(number: int) -> str:
    """Return the symbol of a room; its exchange never closes, because prices never pause."""
    return f"BINANCE:R{number:04d}"


def join(number: int) -> bytes:
    """Return a message that joins a room at every peer."""
    wish = {"type": "join_symbol", "symbol": symbol(number), "timeframe": JOIN_TIMEFRAME}
    return json.dumps(wish, separators=(",", ":")).encode()


def confirmation(name: str, timeframe: str) -> bytes:
    """Return the confirmation of a join in the vendor's form, with the bare ticker."""
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
    """The successive prices of one room; the constant part of the text is prepared."""

    def __init__(self, name: str, timeframe: str) -> None:
        self._head = f'{{"type":"price","symbol":"{name}","timeframe":"{timeframe}","prices":'
        self._ticks = 0

    def next(self, mode: str, now: float) -> bytes:
        """Return the next price, sent at ``now`` (unix seconds)."""
        self._ticks += 1
        close = 88000 + 900 * math.sin(self._ticks / 50)
        return (
            f'{self._head}{{"mode":"{mode}","t":{_OPENED},"o":88658.87,"h":89990.23,"l":87000.5,'
            f'"c":{close:.2f},"v":{8192 + self._ticks},"a":{close + 0.01:.2f},"b":{close:.2f},'
            f'"update":{now:.6f}}}}}'
        ).encode()
