"""The rooms of a stream: each tick is merged as it comes, each text written as it goes.

Between two publishes a room that ticks often costs a merge a tick and one text; two
where a candle ended, as ``Mailbox`` keeps two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from msgspec.structs import replace

from django_fcs.conf import conf
from django_fcs.layer.events import RoomNews
from django_fcs.prices.sessions import Markets, vendor_says_open
from django_fcs.prices.snapshots import Snapshot, digits_for
from django_fcs.prices.states import Expectation, Pulse
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count

__all__ = ["Streamed"]

#: Hubs are told again this often what is expected of a room, as a channel layer at capacity
#: drops messages; a few rooms at each look.
TELL_SECONDS = 30

#: Rooms that were left and that the store has not taken yet, where ``FCS_MAX_ROOMS`` is no more;
#: the one longest left is forgotten first.
LEFT_MAX = 1000

#: Of so many rooms a look tells why no price can come: anybody may ask for any number.
TROUBLES_MAX = 20


# eq=False: a feed is itself, and compares as fast.
@dataclass(eq=False)
class _Feed:
    room: Room
    snapshot: Snapshot
    pulse: Pulse
    expected: Expectation
    """What hubs and store were told, or are about to be."""
    told_at: float
    """When hubs were told so last, though nothing had changed."""
    is_joined: bool = False
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

    def __init__(self, *, epoch: int, markets: Markets) -> None:
        self.ticks = 0
        """Prices that came, but for the answers to joins."""
        self._epoch = epoch
        self._markets = markets
        self._feeds: dict[Room, _Feed] = {}
        self._seq: dict[Room, int] = {}
        # Flags and lists, not sets: a tick is worth one look-up, not four.
        self._due: list[_Feed] = []
        self._dirty: list[_Feed] = []
        self._left: dict[Room, tuple[str, Expectation]] = {}
        """What is to be kept of rooms that are streamed no longer."""
        self._news: dict[Room, None] = {}
        self._unserved: dict[Room, str] = {}
        self._untold: dict[Room, None] = {}
        """Rooms of which that is to be told, or that it is so no more."""
        self._troubles_told_at = 0.0

    def __iter__(self) -> Iterator[Room]:
        return iter(self._feeds)

    @property
    def is_due(self) -> bool:
        """Whether there is anything to publish."""
        return bool(self._due or self._news)

    def merge(self, room: Room, price: Price, at: float) -> bool:
        """Take in a tick that came at ``at`` (unix seconds); False for one too late."""
        feed = self._feeds.get(room) or self._begin(room, at)
        if self._unserved and self._unserved.pop(room, ""):
            self._untold[room] = None
        if price.mode == "initial":
            feed.pulse.initial(at)
        else:
            self.ticks += 1
            feed.pulse.tick(at)
            if feed.expected.closed or feed.expected.overdue:
                self._expect(feed, at)
        snapshot = feed.snapshot
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
        return True

    def describe(self, room: Room, message: ProfileUpdate, at: float) -> None:
        """Take in what the vendor says of an instrument, at ``at`` (unix seconds)."""
        feed = self._feeds.get(room) or self._begin(room, at)
        feed.snapshot.describe(message.profile)
        is_open, delay = vendor_says_open(message.profile), feed.snapshot.delay
        feed.pulse.describe(is_open=is_open, delay=delay, at=at)
        self._expect(feed, at)
        feed.profile = serialise(replace(message, symbol=room.symbol, timeframe=room.timeframe))
        self._news[room] = None
        self._touch(feed)

    def look(self, joined: Collection[Room], now: float) -> set[Room]:
        """Let what is expected follow the clock; return the joined rooms that are mute.

        Those are due a tick that has not come.
        """
        for room in joined:
            feed = self._feeds.get(room) or self._begin(room, now)
            if not feed.is_joined:
                feed.pulse.initial(now)
        self._tell_troubles(now)
        mute = set()
        few = len(self._feeds) // TELL_SECONDS + 1
        for room, feed in self._feeds.items():
            if few and abs(now - feed.told_at) >= TELL_SECONDS:
                feed.told_at, few = now, few - 1
                self._news[room] = None
            feed.is_joined = room in joined
            if feed.is_joined and feed.pulse.is_due(now):
                feed.pulse.note_overdue(now)
                mute.add(room)
            self._expect(feed, now)
        return mute

    def lack(self, unserved: Mapping[Room, str], wanted: Collection[Room]) -> None:
        """Take in of which rooms no price can come, and why, and which are asked for.

        There may be any number, so it is told by and by: ``TROUBLES_MAX`` at each look. Of a
        room that is neither any more nobody need hear.
        """
        changed = self._unserved.items() ^ unserved.items()
        self._untold.update(dict.fromkeys(room for room, _ in changed))
        self._unserved = dict(unserved)
        known = unserved.keys() | set(wanted)
        self._untold = {room: None for room in self._untold if room in known}

    def repeat(self, rooms: Iterable[Room]) -> None:
        """Let what is known be published again, each price with the seq it had."""
        for room in rooms:
            if room in self._unserved:
                self._untold[room] = None
            feed = self._feeds.get(room)
            if feed is None:
                continue
            feed.is_asked_for = True
            self._owe(feed)
            self._news[room] = None

    def touch(self) -> None:
        """Let every room be kept again, as if it had just changed."""
        for feed in self._feeds.values():
            self._touch(feed)

    def forget(self, rooms: Collection[Room]) -> None:
        """Drop rooms that are wanted no longer, and what of them is still to be published.

        What is kept of them shall say so.
        """
        for room in rooms:
            self._news.pop(room, None)
        gone = [self._feeds.pop(room) for room in rooms if room in self._feeds]
        self._due = [feed for feed in self._due if feed not in gone]
        self._dirty = [feed for feed in self._dirty if feed not in gone]
        for feed in gone:
            feed.expected = feed.expected.left()
            self._left.update((room, (text, e)) for room, text, e in self._value_of(feed))
        for room in list(self._left)[: -max(LEFT_MAX, conf.FCS_MAX_ROOMS)]:
            del self._left[room]

    def take_news(self) -> Iterator[RoomNews]:
        """Hand over what changed of rooms beside their price."""
        news, self._news = self._news, {}
        for room in news:
            feed, trouble = self._feeds.get(room), self._unserved.get(room, "")
            if feed is not None:
                yield RoomNews(room, feed.profile, feed.expected, trouble)
            else:
                yield RoomNews(room, "", None, trouble)

    def _tell_troubles(self, now: float) -> None:
        """Let what is new of them be told, and all of it again now and then."""
        if not self._untold and abs(now - self._troubles_told_at) >= TELL_SECONDS:
            self._untold = dict.fromkeys(self._unserved)
        if self._untold:
            self._troubles_told_at = now
        for room in list(islice(self._untold, TROUBLES_MAX)):
            del self._untold[room]
            self._news[room] = None

    def take_updates(self) -> Iterator[Update]:
        """Hand over what is to be published, each room in order, each text written now.

        Who stops half-way has to ``repeat`` all rooms.
        """
        due, self._due = self._due, []
        for feed in due:
            # All before the first: who stops half-way could owe the others nothing again.
            feed.is_due = False
        for feed in due:
            is_asked_for, feed.is_asked_for = feed.is_asked_for, False
            if feed.at is not None:
                yield from self._told(feed, feed.at)
            elif feed.update is not None and is_asked_for:
                yield feed.update

    def take_values(self) -> Iterator[tuple[Room, str, Expectation]]:
        """Hand over the newest text of each room that changed, and what is expected of it.

        One that is still to be published has the seq of the one before, so that no
        hub takes the published one for a repetition. Of rooms that were left it is handed
        over until ``were_kept``; of the others all is kept now and then, see ``touch``.
        """
        dirty, self._dirty = self._dirty, []
        for feed in dirty:
            feed.is_dirty = False
            for value in self._value_of(feed):
                self._left.pop(feed.room, None)
                yield value
        for room, (text, expected) in self._left.items():
            yield room, text, expected

    def were_kept(self, values: Iterable[tuple[Room, str, Expectation]]) -> None:
        """Take note that the store has these."""
        for room, *kept in values:
            if self._left.get(room) == tuple(kept):
                del self._left[room]

    def _value_of(self, feed: _Feed) -> Iterator[tuple[Room, str, Expectation]]:
        room, expected = feed.room, feed.expected
        if feed.at is not None:
            price = feed.snapshot.price(feed.mode, seq=self._last_seq(room), at=feed.at)
            yield room, serialise(price), expected
        elif feed.update is not None:
            yield room, feed.update.text, expected

    def _begin(self, room: Room, at: float) -> _Feed:
        snapshot = Snapshot(room, digits=digits_for(room.symbol, conf.FCS_DIGITS))
        hours, floor = self._markets.hours(room.symbol), conf.FCS_STALE_AFTER_SECONDS
        pulse = Pulse(hours, floor=floor, at=at)
        feed = self._feeds[room] = _Feed(room, snapshot, pulse, pulse.expect(at), at)
        self._news[room] = None
        return feed

    def _expect(self, feed: _Feed, now: float) -> None:
        expected = feed.pulse.expect(now)
        if expected != feed.expected:
            feed.expected = expected
            self._news[feed.room] = None
            self._touch(feed)

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
