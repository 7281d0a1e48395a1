"""The rooms of a stream: ticks are merged when they come, texts are written when they are sent.

Between two publishes a room that ticks often costs one merge per tick and one text, or
two texts if a candle ended, as ``Mailbox`` keeps two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from msgspec.structs import replace

from django_fcs.candles.sessions import bar_end
from django_fcs.conf import conf
from django_fcs.layer.events import PROFILE_MAX, RoomNotice
from django_fcs.prices.intake import Intake
from django_fcs.prices.minutes import Closes
from django_fcs.prices.sessions import Markets, vendor_says_open
from django_fcs.prices.snapshots import Snapshot, digits_for
from django_fcs.prices.states import Expectation, Pulse
from django_fcs.prices.updates import Update, start_of
from django_fcs.protocol import Price, ProfileUpdate, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count

from .figures import note_fault
from .histories import Histories, RoomHistory
from .memory import MinuteMemory

__all__ = ["Streamed", "StreamedRoom"]

#: How often hubs get again what is expected of a room, because a channel layer at capacity
#: drops messages. Each look sends it for a few rooms.
TELL_SECONDS = 30

#: How many rooms that were left wait for the store, unless ``FCS_MAX_ROOMS`` is higher. The room
#: that was left first is forgotten first.
LEFT_MAX = 1000

#: For how many rooms a look sends why no price can come: anybody may ask for any number.
TROUBLES_MAX = 20


# eq=False: compares by identity, which is fast.
@dataclass(eq=False)
class StreamedRoom:
    room: Room
    snapshot: Snapshot
    intake: Intake
    closes: Closes
    history: RoomHistory
    pulse: Pulse
    expected: Expectation
    """What was sent to hubs and store, or is about to be."""
    sent_at: float
    """When it was last sent to hubs although nothing had changed, in unix seconds."""
    is_joined: bool = False
    profile: str = ""
    update: Update | None = None
    """The newest text that was published."""
    at: float | None = None
    """When the newest tick came that is not in a text yet; None if all are."""
    mode: str = "askbid"
    """The mode of the next text; askbid: the candle has not changed since the last text."""
    ended: Price | None = None
    """The last state of the candle before, if it is not in a text yet."""
    is_due: bool = False
    is_asked_for: bool = False
    """Whether a hub asked for the text again, which it may have missed."""
    is_dirty: bool = False


class Streamed:
    """What is known of each room, and what of it is still to be published.

    Bound: two texts per room. Policy: ticks merge (``stream_merged``). If more than
    one candle ended between two publishes, those before the last are lost
    (``stream_missed``).

    A text gets its ``seq`` when it is published: +1 for each text of its room, and
    epoch × 1000 for the first of an epoch. The count outlives the room: a hub that kept
    the old price would take a lower ``seq`` for a repetition.
    """

    def __init__(self, *, epoch: int, markets: Markets) -> None:
        self.ticks = 0
        """The number of prices that came, without the answers to joins."""
        self.minutes = MinuteMemory()
        self.histories = Histories(markets=markets)
        self._epoch = epoch
        self._markets = markets
        self._rooms: dict[Room, StreamedRoom] = {}
        self._seq: dict[Room, int] = {}
        # Flags and lists, not sets: a tick then costs one look-up, not four.
        self._due: list[StreamedRoom] = []
        self._dirty: list[StreamedRoom] = []
        self._left: dict[Room, tuple[str, Expectation]] = {}
        """What is to be stored of rooms that are no longer streamed."""
        self._notices: dict[Room, None] = {}
        self._unserved: dict[Room, str] = {}
        self._unsent: dict[Room, None] = {}
        """Rooms whose entry in ``_unserved`` is new, changed or gone, and not yet sent."""
        self._troubles_sent_at = 0.0

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms)

    @property
    def is_due(self) -> bool:
        """Whether there is anything to publish."""
        return bool(self._due or self._notices)

    def merge(self, room: Room, price: Price, at: float) -> bool:
        """Merge a price that came at ``at`` (unix seconds).

        Return False if it is too late, or cannot be true. A late price is a tick, too.
        """
        streamed = self._rooms.get(room) or self._begin(room, at)
        if self._unserved and self._unserved.pop(room, ""):
            self._unsent[room] = None
        snapshot = streamed.snapshot
        known = snapshot.t
        admitted = streamed.intake.admit(price, at)
        if admitted is None:
            return False
        self._note_tick(streamed, price.mode, at)
        if admitted.t != known or admitted.mode == "close":
            has_ended = self.histories.change_candle(streamed.history, admitted, known, at)
            if has_ended and streamed.at is not None:
                self._end_candle(streamed, streamed.at)
        if not snapshot.merge(admitted):
            count("stream_late")
            return False
        close = admitted.c
        # The answer to a join may be of yesterday; a late close is of the candle before.
        if close is not None and close == snapshot.c and admitted.mode != "initial":
            streamed.closes.note(close, at)
        if streamed.at is None:
            streamed.mode = "askbid"
        else:
            count("stream_merged")
        if admitted.mode != "askbid":
            streamed.mode = "candle"
        streamed.at = at
        if not streamed.is_due:
            self._owe(streamed)
        if not streamed.is_dirty:
            self._touch(streamed)
        return True

    def _note_tick(self, streamed: StreamedRoom, mode: str, at: float) -> None:
        if mode == "initial":
            streamed.pulse.initial(at)
            return
        self.ticks += 1
        streamed.pulse.tick(at)
        if streamed.expected.closed or streamed.expected.overdue:
            self._expect(streamed, at)

    def doubt(self) -> None:
        """Believe the next price of each room, because the connection is new."""
        for streamed in self._rooms.values():
            streamed.intake.doubt()

    def describe(self, room: Room, message: ProfileUpdate, at: float) -> None:
        """Note an instrument's profile, which came at ``at`` (unix seconds)."""
        streamed = self._rooms.get(room) or self._begin(room, at)
        streamed.snapshot.describe(message.profile)
        is_open, delay = vendor_says_open(message.profile), streamed.snapshot.delay
        streamed.pulse.describe(is_open=is_open, delay=delay, at=at)
        self._expect(streamed, at)
        text = serialise(replace(message, symbol=room.symbol, timeframe=room.timeframe))
        # Hubs refuse a longer one, and with it what is expected of the room.
        streamed.profile = text if len(text) <= PROFILE_MAX else ""
        self._notices[room] = None
        self._touch(streamed)

    def look(self, joined: Collection[Room], now: float) -> set[Room]:
        """Update what is expected at ``now`` (unix seconds); return the silent joined rooms.

        A tick of these rooms was due and has not come.
        """
        for room in joined:
            streamed = self._rooms.get(room) or self._begin(room, now)
            if not streamed.is_joined:
                streamed.pulse.initial(now)
        self._tell_troubles(now)
        silent = set()
        few = len(self._rooms) // TELL_SECONDS + 1
        for room, streamed in self._rooms.items():
            if few and abs(now - streamed.sent_at) >= TELL_SECONDS:
                streamed.sent_at, few = now, few - 1
                self._notices[room] = None
            streamed.is_joined = room in joined
            try:
                if streamed.is_joined and streamed.pulse.is_due(now):
                    streamed.pulse.note_overdue(now)
                    silent.add(room)
                self._expect(streamed, now)
            except Exception as error:
                note_fault(room, error)
        return silent

    def lack(self, unserved: Mapping[Room, str], wanted: Collection[Room]) -> None:
        """Note why no price can come of ``unserved`` rooms, and which rooms are ``wanted``.

        There may be any number, so each look sends this for ``TROUBLES_MAX`` rooms only. For a
        room that is no longer in either, nothing is sent.
        """
        changed = self._unserved.items() ^ unserved.items()
        self._unsent.update(dict.fromkeys(room for room, _ in changed))
        self._unserved = dict(unserved)
        known = unserved.keys() | set(wanted)
        self._unsent = {room: None for room in self._unsent if room in known}

    def repeat(self, rooms: Iterable[Room]) -> None:
        """Mark rooms to be published again, each price with the seq it had."""
        for room in rooms:
            if room in self._unserved:
                self._unsent[room] = None
            streamed = self._rooms.get(room)
            if streamed is None:
                continue
            streamed.is_asked_for = True
            self._owe(streamed)
            self._notices[room] = None

    def touch(self) -> None:
        """Mark every room to be stored again, as if it had just changed."""
        for streamed in self._rooms.values():
            self._touch(streamed)

    def forget(self, rooms: Collection[Room]) -> None:
        """Drop rooms that are no longer wanted, and what of them is still to be published.

        Their stored expectation will say that they are no longer streamed.
        """
        self.minutes.forget(rooms)
        self.histories.forget(rooms)
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
        """Yield what changed in rooms besides their price, and remove it."""
        notices, self._notices = self._notices, {}
        for room in notices:
            streamed, trouble = self._rooms.get(room), self._unserved.get(room, "")
            if streamed is not None:
                yield RoomNotice(room, streamed.profile, streamed.expected, trouble)
            else:
                yield RoomNotice(room, "", None, trouble)

    def _tell_troubles(self, now: float) -> None:
        """Mark new troubles of rooms to be sent, and all of them again from time to time."""
        if not self._unsent and abs(now - self._troubles_sent_at) >= TELL_SECONDS:
            self._unsent = dict.fromkeys(self._unserved)
        if self._unsent:
            self._troubles_sent_at = now
        for room in list(islice(self._unsent, TROUBLES_MAX)):
            del self._unsent[room]
            self._notices[room] = None

    def take_updates(self) -> Iterator[Update]:
        """Yield the texts to publish, in order within each room; each is written now.

        A caller that stops half-way has to ``repeat`` all rooms.
        """
        due, self._due = self._due, []
        for streamed in due:
            # All before the first text: a caller that stops half-way can list the others again.
            streamed.is_due = False
        for streamed in due:
            is_asked_for, streamed.is_asked_for = streamed.is_asked_for, False
            if streamed.at is not None:
                yield from self._texts_of(streamed, streamed.at)
            elif streamed.update is not None and is_asked_for:
                yield streamed.update

    def take_values(self) -> Iterator[tuple[Room, str, Expectation]]:
        """Yield the newest text of each room that changed, and what is expected of it.

        A text that is still to be published has the seq of the one before, so that no hub
        takes the published one for a repetition. Rooms that were left are yielded until
        ``were_kept``. All others are stored again from time to time, see ``touch``.
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
        """Note that the store has these values."""
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
        hours, floor = self._markets.hours(room.symbol), conf.FCS_STALE_AFTER_SECONDS
        digits, ends = (
            digits_for(room.symbol, conf.FCS_DIGITS),
            partial(bar_end, hours, room.timeframe),
        )
        snapshot = Snapshot(room, digits=digits, ends=ends)
        pulse = Pulse(hours, floor=floor, at=at)
        streamed = self._rooms[room] = StreamedRoom(
            room,
            snapshot,
            Intake(snapshot),
            self.minutes.begin(room, at),
            self.histories.begin(room, at, snapshot),
            pulse,
            pulse.expect(at),
            at,
        )
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
        return self._seq.get(room, start_of(self._epoch) - 1)
