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
from django_fcs.layer.events import RoomNotice
from django_fcs.prices.sessions import Markets, vendor_says_open
from django_fcs.prices.snapshots import Snapshot, digits_for
from django_fcs.prices.states import Expectation, Pulse
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count

__all__ = ["Streamed", "StreamedRoom"]

#: Hubs are told again this often what is expected of a room, as a channel layer at capacity
#: drops messages; a few rooms at each look.
TELL_SECONDS = 30

#: Rooms that were left and that the store has not taken yet, where ``FCS_MAX_ROOMS`` is no more;
#: the one longest left is forgotten first.
LEFT_MAX = 1000

#: Of so many rooms a look tells why no price can come: anybody may ask for any number.
TROUBLES_MAX = 20


# eq=False: a streamed is itself, and compares as fast.
@dataclass(eq=False)
class StreamedRoom:
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
        self._rooms: dict[Room, StreamedRoom] = {}
        self._seq: dict[Room, int] = {}
        # Flags and lists, not sets: a tick is worth one look-up, not four.
        self._due: list[StreamedRoom] = []
        self._dirty: list[StreamedRoom] = []
        self._left: dict[Room, tuple[str, Expectation]] = {}
        """What is to be kept of rooms that are streamed no longer."""
        self._notices: dict[Room, None] = {}
        self._unserved: dict[Room, str] = {}
        self._untold: dict[Room, None] = {}
        """Rooms of which that is to be told, or that it is so no more."""
        self._troubles_told_at = 0.0

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms)

    @property
    def is_due(self) -> bool:
        """Whether there is anything to publish."""
        return bool(self._due or self._notices)

    def merge(self, room: Room, price: Price, at: float) -> bool:
        """Take in a tick that came at ``at`` (unix seconds); False for one too late."""
        streamed = self._rooms.get(room) or self._begin(room, at)
        if self._unserved and self._unserved.pop(room, ""):
            self._untold[room] = None
        if price.mode == "initial":
            streamed.pulse.initial(at)
        else:
            self.ticks += 1
            streamed.pulse.tick(at)
            if streamed.expected.closed or streamed.expected.overdue:
                self._expect(streamed, at)
        snapshot = streamed.snapshot
        if streamed.at is not None and _begins_candle(snapshot, price):
            self._end_candle(streamed, streamed.at)
        if not snapshot.merge(price):
            return False
        if streamed.at is None:
            streamed.mode = "askbid"
        else:
            count("stream_merged")
        if price.mode != "askbid":
            streamed.mode = "candle"
        streamed.at = at
        if not streamed.is_due:
            self._owe(streamed)
        if not streamed.is_dirty:
            self._touch(streamed)
        return True

    def describe(self, room: Room, message: ProfileUpdate, at: float) -> None:
        """Take in what the vendor says of an instrument, at ``at`` (unix seconds)."""
        streamed = self._rooms.get(room) or self._begin(room, at)
        streamed.snapshot.describe(message.profile)
        is_open, delay = vendor_says_open(message.profile), streamed.snapshot.delay
        streamed.pulse.describe(is_open=is_open, delay=delay, at=at)
        self._expect(streamed, at)
        streamed.profile = serialise(replace(message, symbol=room.symbol, timeframe=room.timeframe))
        self._notices[room] = None
        self._touch(streamed)

    def look(self, joined: Collection[Room], now: float) -> set[Room]:
        """Let what is expected follow the clock; return the joined rooms that are silent.

        Those are due a tick that has not come.
        """
        for room in joined:
            streamed = self._rooms.get(room) or self._begin(room, now)
            if not streamed.is_joined:
                streamed.pulse.initial(now)
        self._tell_troubles(now)
        silent = set()
        few = len(self._rooms) // TELL_SECONDS + 1
        for room, streamed in self._rooms.items():
            if few and abs(now - streamed.told_at) >= TELL_SECONDS:
                streamed.told_at, few = now, few - 1
                self._notices[room] = None
            streamed.is_joined = room in joined
            if streamed.is_joined and streamed.pulse.is_due(now):
                streamed.pulse.note_overdue(now)
                silent.add(room)
            self._expect(streamed, now)
        return silent

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
            streamed = self._rooms.get(room)
            if streamed is None:
                continue
            streamed.is_asked_for = True
            self._owe(streamed)
            self._notices[room] = None

    def touch(self) -> None:
        """Let every room be kept again, as if it had just changed."""
        for streamed in self._rooms.values():
            self._touch(streamed)

    def forget(self, rooms: Collection[Room]) -> None:
        """Drop rooms that are wanted no longer, and what of them is still to be published.

        What is kept of them shall say so.
        """
        for room in rooms:
            self._notices.pop(room, None)
        gone = [self._rooms.pop(room) for room in rooms if room in self._rooms]
        self._due = [streamed for streamed in self._due if streamed not in gone]
        self._dirty = [streamed for streamed in self._dirty if streamed not in gone]
        for streamed in gone:
            streamed.expected = streamed.expected.left()
            self._left.update((room, (text, e)) for room, text, e in self._value_of(streamed))
        for room in list(self._left)[: -max(LEFT_MAX, conf.FCS_MAX_ROOMS)]:
            del self._left[room]

    def take_notices(self) -> Iterator[RoomNotice]:
        """Hand over what changed of rooms beside their price."""
        notices, self._notices = self._notices, {}
        for room in notices:
            streamed, trouble = self._rooms.get(room), self._unserved.get(room, "")
            if streamed is not None:
                yield RoomNotice(room, streamed.profile, streamed.expected, trouble)
            else:
                yield RoomNotice(room, "", None, trouble)

    def _tell_troubles(self, now: float) -> None:
        """Let what is new of them be told, and all of it again now and then."""
        if not self._untold and abs(now - self._troubles_told_at) >= TELL_SECONDS:
            self._untold = dict.fromkeys(self._unserved)
        if self._untold:
            self._troubles_told_at = now
        for room in list(islice(self._untold, TROUBLES_MAX)):
            del self._untold[room]
            self._notices[room] = None

    def take_updates(self) -> Iterator[Update]:
        """Hand over what is to be published, each room in order, each text written now.

        Who stops half-way has to ``repeat`` all rooms.
        """
        due, self._due = self._due, []
        for streamed in due:
            # All before the first: who stops half-way could owe the others nothing again.
            streamed.is_due = False
        for streamed in due:
            is_asked_for, streamed.is_asked_for = streamed.is_asked_for, False
            if streamed.at is not None:
                yield from self._texts_of(streamed, streamed.at)
            elif streamed.update is not None and is_asked_for:
                yield streamed.update

    def take_values(self) -> Iterator[tuple[Room, str, Expectation]]:
        """Hand over the newest text of each room that changed, and what is expected of it.

        One that is still to be published has the seq of the one before, so that no
        hub takes the published one for a repetition. Of rooms that were left it is handed
        over until ``were_kept``; of the others all is kept now and then, see ``touch``.
        """
        dirty, self._dirty = self._dirty, []
        for streamed in dirty:
            streamed.is_dirty = False
            for value in self._value_of(streamed):
                self._left.pop(streamed.room, None)
                yield value
        for room, (text, expected) in self._left.items():
            yield room, text, expected

    def were_kept(self, values: Iterable[tuple[Room, str, Expectation]]) -> None:
        """Take note that the store has these."""
        for room, *kept in values:
            if self._left.get(room) == tuple(kept):
                del self._left[room]

    def _value_of(self, streamed: StreamedRoom) -> Iterator[tuple[Room, str, Expectation]]:
        room, expected = streamed.room, streamed.expected
        if streamed.at is not None:
            price = streamed.snapshot.price(streamed.mode, seq=self._last_seq(room), at=streamed.at)
            yield room, serialise(price), expected
        elif streamed.update is not None:
            yield room, streamed.update.text, expected

    def _begin(self, room: Room, at: float) -> StreamedRoom:
        snapshot = Snapshot(room, digits=digits_for(room.symbol, conf.FCS_DIGITS))
        hours, floor = self._markets.hours(room.symbol), conf.FCS_STALE_AFTER_SECONDS
        pulse = Pulse(hours, floor=floor, at=at)
        streamed = self._rooms[room] = StreamedRoom(room, snapshot, pulse, pulse.expect(at), at)
        self._notices[room] = None
        return streamed

    def _expect(self, streamed: StreamedRoom, now: float) -> None:
        expected = streamed.pulse.expect(now)
        if expected != streamed.expected:
            streamed.expected = expected
            self._notices[streamed.room] = None
            self._touch(streamed)

    def _owe(self, streamed: StreamedRoom) -> None:
        if not streamed.is_due:
            streamed.is_due = True
            self._due.append(streamed)

    def _touch(self, streamed: StreamedRoom) -> None:
        if not streamed.is_dirty:
            streamed.is_dirty = True
            self._dirty.append(streamed)

    def _end_candle(self, streamed: StreamedRoom, at: float) -> None:
        if streamed.ended is not None:
            count("stream_missed")
        streamed.ended = streamed.snapshot.price(streamed.mode, seq=0, at=at)
        streamed.at = None

    def _texts_of(self, streamed: StreamedRoom, at: float) -> list[Update]:
        room = streamed.room
        ended, streamed.ended, streamed.at = streamed.ended, None, None
        # The store may hold this text with the seq of the one before.
        self._touch(streamed)
        seq = self._last_seq(room) + 1
        texts = []
        if ended is not None:
            texts.append(Update.encode(room, replace(ended, seq=seq), epoch=self._epoch))
            seq += 1
        newest = streamed.snapshot.price(streamed.mode, seq=seq, at=at)
        streamed.update = Update.encode(room, newest, epoch=self._epoch)
        self._seq[room] = seq
        return [*texts, streamed.update]

    def _last_seq(self, room: Room) -> int:
        return self._seq.get(room, self._epoch * 1000 - 1)


def _begins_candle(snapshot: Snapshot, price: Price) -> bool:
    return snapshot.t is not None and price.t is not None and price.t > snapshot.t
