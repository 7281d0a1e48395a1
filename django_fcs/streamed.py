"""The rooms of a stream: each tick is merged as it comes, each text written as it goes.

Between two publishes a room that ticks often costs a merge a tick and one text; two
where a candle ended, as ``Mailbox`` keeps two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from .conf import conf
from .events import RoomNews
from .messages import Price, ProfileUpdate
from .metrics import count
from .protocol import serialise
from .rooms import Room
from .snapshots import Snapshot, digits_for
from .updates import Update

__all__ = ["Streamed"]


# eq=False: a feed is itself, and compares as fast.
@dataclass(eq=False)
class _Feed:
    room: Room
    snapshot: Snapshot
    profile: str = ""
    update: Update | None = None
    """The newest text that went out."""
    at: float | None = None
    """When the newest tick came that no text tells of yet; None where all is told."""
    mode: str = "askbid"
    """Of the next text: an askbid says that the candle did not change since the last."""
    ended: Price | None = None
    """The last state of the candle before, where no text told of it."""
    is_due: bool = False
    is_asked_for: bool = False
    """A hub wants the text again that it may have missed."""
    is_dirty: bool = False


class Streamed:
    """What is known of each room, and what of it is still to be published.

    Bound: two texts a room. Policy: ticks merge (``stream_merged``); where more than
    one candle ended between two publishes, those before the last are lost
    (``stream_missed``).

    A text's ``seq`` is given as it goes out: +1 for each of its room, the first of an
    epoch is epoch × 1000. It outlives the room: a hub that kept the old price would
    take a lower one for a repetition.
    """

    def __init__(self, *, epoch: int) -> None:
        self._epoch = epoch
        self._feeds: dict[Room, _Feed] = {}
        self._seq: dict[Room, int] = {}
        # Flags and lists, not sets: a tick is worth one look-up, not four.
        self._due: list[_Feed] = []
        self._dirty: list[_Feed] = []
        self._news: dict[Room, None] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._feeds)

    @property
    def is_due(self) -> bool:
        """Whether there is anything to publish."""
        return bool(self._due or self._news)

    def merge(self, room: Room, price: Price, at: float) -> bool:
        """Take in a tick that came at ``at`` (unix seconds); False for one too late."""
        feed = self._feed(room)
        snapshot, closed = feed.snapshot, feed.snapshot.closed
        if feed.at is not None and _begins_candle(snapshot, price):
            self._end_candle(feed, feed.at)
        if not snapshot.merge(price):
            return False
        if feed.at is None:
            feed.mode = "askbid"
        else:
            count("stream_merged")
        if price.mode != "askbid":
            feed.mode = "candle"
        feed.at = at
        if not feed.is_due:
            self._owe(feed)
        if not feed.is_dirty:
            self._touch(feed)
        if snapshot.closed != closed:
            self._news[room] = None
        return True

    def describe(self, room: Room, message: ProfileUpdate) -> None:
        """Take in what the vendor says of an instrument."""
        feed = self._feed(room)
        feed.snapshot.describe(message.profile)
        feed.profile = serialise(replace(message, symbol=room.symbol, timeframe=room.timeframe))
        self._news[room] = None
        self._touch(feed)

    def repeat(self, rooms: Iterable[Room]) -> None:
        """Let what is known be published again, each price with the seq it had."""
        for room in rooms:
            feed = self._feeds.get(room)
            if feed is None:
                continue
            feed.is_asked_for = True
            self._owe(feed)
            if feed.profile or feed.snapshot.closed:
                self._news[room] = None

    def touch(self) -> None:
        """Let every room be kept again, as if it had just changed."""
        for feed in self._feeds.values():
            self._touch(feed)

    def forget(self, rooms: Iterable[Room]) -> None:
        """Drop rooms that are wanted no longer, and what of them is still to be published."""
        gone = [self._feeds.pop(room) for room in rooms if room in self._feeds]
        self._due = [feed for feed in self._due if feed not in gone]
        self._dirty = [feed for feed in self._dirty if feed not in gone]

    def take_news(self) -> Iterator[RoomNews]:
        """Hand over what changed of rooms beside their price."""
        news, self._news = self._news, {}
        for room in news:
            feed = self._feeds.get(room)
            if feed is not None:
                yield RoomNews(room, feed.profile, feed.snapshot.closed)

    def take_updates(self) -> Iterator[Update]:
        """Hand over what is to be published, each room in order, each text written now.

        Who stops half-way has to ``repeat`` all rooms.
        """
        due, self._due = self._due, []
        for feed in due:
            feed.is_due = False
            is_asked_for, feed.is_asked_for = feed.is_asked_for, False
            if feed.at is not None:
                yield from self._told(feed, feed.at)
            elif feed.update is not None and is_asked_for:
                yield feed.update

    def take_values(self) -> Iterator[tuple[Room, str, bool]]:
        """Hand over the newest text of each room that changed, and whether it is closed.

        One that is still to be published has the seq of the one before, so that no
        hub takes the published one for a repetition.
        """
        dirty, self._dirty = self._dirty, []
        for feed in dirty:
            feed.is_dirty = False
            room, closed = feed.room, feed.snapshot.closed
            if feed.at is not None:
                price = feed.snapshot.price(feed.mode, seq=self._last_seq(room), at=feed.at)
                yield room, serialise(price), closed
            elif feed.update is not None:
                yield room, feed.update.text, closed

    def _feed(self, room: Room) -> _Feed:
        feed = self._feeds.get(room)
        if feed is None:
            digits = digits_for(room.symbol, conf.FCS_DIGITS)
            feed = self._feeds[room] = _Feed(room, Snapshot(room, digits=digits))
        return feed

    def _owe(self, feed: _Feed) -> None:
        if not feed.is_due:
            feed.is_due = True
            self._due.append(feed)

    def _touch(self, feed: _Feed) -> None:
        if not feed.is_dirty:
            feed.is_dirty = True
            self._dirty.append(feed)

    def _end_candle(self, feed: _Feed, at: float) -> None:
        if feed.ended is not None:
            count("stream_missed")
        feed.ended = feed.snapshot.price(feed.mode, seq=0, at=at)
        feed.at = None

    def _told(self, feed: _Feed, at: float) -> list[Update]:
        room = feed.room
        ended, feed.ended, feed.at = feed.ended, None, None
        # The store may hold this text with the seq of the one before.
        self._touch(feed)
        seq = self._last_seq(room) + 1
        told = []
        if ended is not None:
            told.append(Update.encode(room, replace(ended, seq=seq), epoch=self._epoch))
            seq += 1
        newest = feed.snapshot.price(feed.mode, seq=seq, at=at)
        feed.update = Update.encode(room, newest, epoch=self._epoch)
        self._seq[room] = seq
        return [*told, feed.update]

    def _last_seq(self, room: Room) -> int:
        return self._seq.get(room, self._epoch * 1000 - 1)


def _begins_candle(snapshot: Snapshot, price: Price) -> bool:
    return snapshot.t is not None and price.t is not None and price.t > snapshot.t
