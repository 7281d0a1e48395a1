"""A price on its way from the stream to the browsers, encoded only once.

What differs between browsers (mode, spelling of the timeframe) is replaced in the
finished text. ``docs/protocol.md`` guarantees the order of fields that makes this safe.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from django_fcs.exceptions import ProtocolError
from django_fcs.protocol import Price, serialise
from django_fcs.protocol.ticks import Head, read_head
from django_fcs.rooms import Room

__all__ = [
    "EPOCH_AHEAD_SECONDS",
    "EVENT_TYPE",
    "TEXT_MAX",
    "Epoch",
    "Update",
    "end_of",
    "price_of",
    "respell",
    "start_of",
]

#: The message type in a room's group; a consumer handles it in its method ``fcs_price``.
EVENT_TYPE = "fcs.price"

#: The longest text of a price, in characters: some ten times the usual length.
TEXT_MAX = 4096

#: No tick is farther ahead of the time at which it came, not even if its time is local.
TICK_AHEAD_SECONDS = 2 * 86_400

#: The first text of an epoch has the number epoch × 1000, and integers of browsers are exact to
#: 2^53.
Epoch = Annotated[int, msgspec.Meta(ge=0, lt=2**53 // 1000)]

#: An epoch is a time in milliseconds, or little more. The lease gives none that is farther ahead.
EPOCH_AHEAD_SECONDS = 365 * 86_400

#: The texts of a room in one epoch: a hundred a second for three years.
TEXTS_PER_EPOCH = 10_000_000_000

_MODE = re.compile(r'"mode":"[a-z]*"')


class Update(msgspec.Struct, frozen=True, gc=False):
    """A room's price as text, with the values that conflation needs."""

    room: Room
    text: str
    seq: int
    epoch: int
    at: float
    mode: str
    t: int | None

    @classmethod
    def encode(cls, room: Room, price: Price, *, epoch: int) -> Update:
        """Encode a price once for all browsers; it must have ``seq`` and ``at``.

        Raises ``ProtocolError`` if it has not.
        """
        if price.seq is None or price.at is None:
            raise ProtocolError("a price without seq or at cannot be published")
        return cls(room, serialise(price), price.seq, epoch, price.at, price.mode, price.t)

    @classmethod
    def from_text(cls, room: Room, text: str, *, epoch: int) -> Update:
        """Read a text that this project wrote; raise ``ProtocolError`` for any other."""
        head = price_of(room, text)
        return cls(room, text, head.seq, epoch, head.at, head.mode, head.prices.t)

    @classmethod
    def from_group(cls, room: Room, text: str, *, epoch: int) -> Update:
        """Read a text that the stream of an epoch sent; raise ``ProtocolError`` for any other.

        If its number were too high for the epoch, all later texts would seem older.
        """
        update = cls.from_text(room, text, epoch=epoch)
        if update.seq >= end_of(epoch):
            raise ProtocolError(f"seq={update.seq} is too high for epoch {epoch}")
        return update

    @property
    def holds_candle(self) -> bool:
        """Whether the text contains open, high and low, in any mode."""
        return '"o":' in self.text

    def event(self) -> dict[str, Any]:
        """Return the event to send to the room's group."""
        return {
            "type": EVENT_TYPE,
            "room": str(self.room),
            "text": self.text,
            "seq": self.seq,
            "epoch": self.epoch,
        }

    def in_mode(self, mode: str) -> Update:
        """Return the same price under another mode."""
        if mode == self.mode:
            return self
        # self.mode may differ from the text: a price without a candle counts as an askbid.
        text = _MODE.sub(f'"mode":"{mode}"', self.text, count=1)
        return replace(self, text=text, mode=mode)

    def spelled(self, timeframe: str) -> Update:
        """Return the same price for a browser that joined under an alias."""
        if timeframe == self.room.timeframe:
            return self
        return replace(self, text=respell(self.text, self.room, timeframe))


def price_of(room: Room, text: str) -> Head:
    """Read a price of a room that this project wrote; raise ``ProtocolError`` for any other."""
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise ProtocolError(f"not a text of at most {TEXT_MAX} characters")
    head = read_head(text)
    if (head.symbol, head.timeframe) != (room.symbol, room.timeframe):
        raise ProtocolError(f"the text is not a price of {room}")
    tick_at = head.prices.update
    if tick_at is not None and tick_at > head.at + TICK_AHEAD_SECONDS:
        raise ProtocolError("the tick is later than the price came")
    return head


def start_of(epoch: int) -> int:
    """Return the lowest number of a text in an epoch."""
    return epoch * 1000


def end_of(epoch: int) -> int:
    """Return the limit of the numbers in an epoch: all of them are lower."""
    return start_of(epoch) + TEXTS_PER_EPOCH


def respell(text: str, room: Room, timeframe: str) -> str:
    """Replace the timeframe at the start of a price or profile by another spelling."""
    if timeframe == room.timeframe:
        return text
    canonical = f'"timeframe":"{room.timeframe}"'
    return text.replace(canonical, f'"timeframe":"{timeframe}"', 1)
