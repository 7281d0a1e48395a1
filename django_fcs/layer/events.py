"""The messages between stream and hubs on the channel layer.

========== ======================= ============================================
group      from → to               message types
========== ======================= ============================================
room.group stream → hubs, anybody  only ``fcs.price``
fcs.hubs   stream → hubs           ``fcs.beat``, ``fcs.room``, ``fcs.candles``
fcs.hubs   the site → hubs         ``fcs.ask``
fcs.demand hubs → stream           ``fcs.demand``, ``fcs.wish``
fcs.demand commands → stream       ``fcs.wish``
========== ======================= ============================================

A site with a mark puts it into all three, as in ``fcs-db1.hubs``. ``protocol.intervals``
defines how often they are sent.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Annotated, Any, Union

import msgspec
from msgspec.structs import replace

from django_fcs.exceptions import ProtocolError, RoomError
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation
from django_fcs.prices.updates import EPOCH_AHEAD_SECONDS, EVENT_TYPE, Epoch, Update
from django_fcs.protocol import ProfileUpdate, parse
from django_fcs.protocol.bounds import CANDLES_MAX, OpenTime, Seconds
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count
from django_fcs.tools.texts import one_line

__all__ = [
    "DEMAND",
    "HASHES_MAX",
    "HASH_LENGTH",
    "HUBS",
    "PROFILE_MAX",
    "Announcement",
    "AskAgain",
    "Beat",
    "CandleNote",
    "GroupEvent",
    "Hashes",
    "RoomNotice",
    "Wish",
    "read_event",
]

HUBS = "fcs.hubs"
DEMAND = "fcs.demand"

#: The longest profile, in characters. Browsers get it unchanged.
PROFILE_MAX = 32_000

#: How many rooms of one hub are read. Real processes show fewer.
ROOMS_MAX = 10_000

#: Two different addresses in any processes show that at least two watch a room.
HASHES_MAX = 2

#: How many ranges one note names.
ENDED_MAX = 16

#: In hexadecimal digits. Two of all addresses that watch rooms of a site are hardly ever the same.
HASH_LENGTH = 8

#: Hashes of addresses, at most ``HASHES_MAX``; none if an address is not known.
Hashes = tuple[str, ...]

_HASHES = re.compile(f"(?:[0-9a-f]{{{HASH_LENGTH}}}){{0,{HASHES_MAX}}}")

Span = tuple[int, int]
_Span = tuple[OpenTime, OpenTime]
_HubName = Annotated[str, msgspec.Meta(max_length=100)]
_Hash = Annotated[str, msgspec.Meta(max_length=64)]


class Beat(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.beat"):
    """The heartbeat of a stream, with the state of its connection to the vendor."""

    epoch: Epoch
    path: PathReport

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        return _builtins(self)


class RoomNotice(msgspec.Struct, frozen=True):
    """What is known of a room besides its price."""

    room: Room
    profile: str
    """The text of its profile frame; empty if none came."""
    expected: Expectation | None
    """``None`` if the stream knows nothing of it."""
    trouble: str = ""
    """Why no price of it can come; empty if one can."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        return _builtins(_Notice(str(self.room), self.profile, self.expected, self.trouble))


class Announcement(msgspec.Struct, frozen=True):
    """The rooms that a hub needs, longest needed first."""

    hub: str
    rooms: tuple[Room, ...]
    new: tuple[Room, ...]
    """Those of the rooms that it has no price of."""
    viewers: Mapping[Room, Hashes] = msgspec.field(default_factory=dict)
    """The keyed hashes of addresses that watch a room; none in an older version's message."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to the stream."""
        rooms, new = map(str, self.rooms), map(str, self.new)
        viewers = ("".join(self.viewers.get(room, ())) for room in self.rooms)
        return _builtins(_Demand(self.hub, tuple(rooms), tuple(new), tuple(viewers)))


class AskAgain(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.ask"):
    """A request to ask ``FCS_AUTHORIZE`` again now. By itself it allows and ends nothing."""

    user: _Hash = ""
    """A keyed hash of the user's primary key; empty for any user."""
    session: _Hash = ""
    """A keyed hash of the session key; empty for any session."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        return _builtins(self)


class Wish(msgspec.Struct, frozen=True):
    """A request for candles of a room; the stream fetches what nobody has."""

    room: Room
    limit: int = CANDLES_MAX
    """How many are wanted, up to ``CANDLES_MAX``."""
    before: int | None = None
    """They open before this time, in unix seconds; ``None`` for the newest."""
    start: int | None = None
    """They open at this time or later; ``None`` if only their number matters."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to the stream."""
        return _builtins(_Wish(str(self.room), self.limit, self.before, self.start))


class CandleNote(msgspec.Struct, frozen=True):
    """What the stream did about wishes for candles of a room."""

    room: Room
    start: int | None = None
    """Candles that open from here to ``end`` were stored, in unix seconds; ``None`` if none."""
    end: int | None = None
    note: str = ""
    """What is still missing and why, for visitors; empty if all wishes are fulfilled."""
    wait: float | None = None
    """After how many seconds the stream goes on; ``None`` if it does not know or is ready."""
    ended: tuple[Span, ...] = ()
    """The ranges ``(start, before)`` of wishes that have ended; an older version names none."""
    holes: bool = False
    """Whether other candles are missing than before, according to what was stored last."""

    @property
    def tells_only_holes(self) -> bool:
        """Whether it says nothing about wishes."""
        return self == CandleNote(self.room, holes=True)

    def after(self, earlier: CandleNote | None) -> CandleNote:
        """Return one note in place of this one and an earlier one about the room."""
        spans = [(one.start, one.end) for one in (self, earlier) if one is not None]
        stored = [(start, end) for start, end in spans if start is not None and end is not None]
        start = min((start for start, _ in stored), default=None)
        end = max((end for _, end in stored), default=None)
        ended = () if earlier is None else earlier.ended
        ended = tuple(dict.fromkeys((*ended, *self.ended)))[-ENDED_MAX:]
        holes = self.holes or (earlier is not None and earlier.holes)
        return replace(self, start=start, end=end, ended=ended, holes=holes)

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        told = self.start, self.end, self.note, self.wait, self.ended, self.holes
        return _builtins(_CandleNote(str(self.room), *told))


GroupEvent = Update | Beat | RoomNotice | Announcement | AskAgain | Wish | CandleNote


class _Price(msgspec.Struct, frozen=True, tag_field="type", tag=EVENT_TYPE):
    room: str
    text: str
    epoch: Epoch

    def read(self) -> Update:
        return Update.from_group(_room(self.room), self.text, epoch=self.epoch)


class _Notice(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.room"):
    room: str
    profile: str
    expected: Expectation | None
    trouble: str

    def read(self) -> RoomNotice:
        room = Room.from_text(self.room)
        if self.profile:
            _check_profile(self.profile, room)
        return RoomNotice(room, self.profile, self.expected, one_line(self.trouble))


class _Demand(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.demand"):
    hub: _HubName
    rooms: tuple[str, ...]
    new: tuple[str, ...]
    viewers: tuple[str, ...] = ()
    """For each of the rooms its hashes, one after the other."""

    def read(self) -> Announcement:
        told = list(_rooms(self.rooms, self.viewers))
        rooms, new = (room for room, _ in told), (room for room, _ in _rooms(self.new))
        viewers = {room: hashes for room, hashes in told if hashes}
        return Announcement(self.hub, tuple(rooms), tuple(new), viewers)


class _Wish(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.wish"):
    room: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=CANDLES_MAX)] = CANDLES_MAX
    before: OpenTime | None = None
    start: OpenTime | None = None

    def read(self) -> Wish:
        return Wish(_room(self.room), self.limit, self.before, self.start)


class _CandleNote(msgspec.Struct, frozen=True, tag_field="type", tag="fcs.candles"):
    room: str
    start: OpenTime | None = None
    end: OpenTime | None = None
    note: str = ""
    wait: Seconds | None = None
    ended: Annotated[tuple[_Span, ...], msgspec.Meta(max_length=ENDED_MAX)] = ()
    holes: bool = False

    def read(self) -> CandleNote:
        note = one_line(self.note)
        told = self.start, self.end, note, self.wait, self.ended, self.holes
        return CandleNote(_room(self.room), *told)


# By type, since msgspec prepares a struct once, but a union at each call.
_Kind = type[_Price | Beat | _Notice | _Demand | AskAgain | _Wish | _CandleNote]
_KINDS: tuple[_Kind, ...] = (_Price, Beat, _Notice, _Demand, AskAgain, _Wish, _CandleNote)
_MESSAGES = {kind.__struct_config__.tag: kind for kind in _KINDS}
_unpack = msgspec.msgpack.Decoder(Union[_KINDS]).decode  # noqa: UP007


def read_event(message: Mapping[str, Any] | bytes, now: float) -> GroupEvent:
    """Read a group's message; raise ``ProtocolError`` if it is malformed.

    ``message`` may be packed with msgpack. ``now`` is in unix seconds. A hub would refuse all
    that follows an epoch of the far future.
    """
    try:
        if isinstance(message, bytes):
            read = _unpack(message)
        else:
            read = msgspec.convert(message, _MESSAGES[message["type"]])
        if isinstance(read, (Beat, _Price)) and read.epoch > (now + EPOCH_AHEAD_SECONDS) * 1000:
            raise ProtocolError(f"epoch={read.epoch} is in the future")
        return read if isinstance(read, (Beat, AskAgain)) else read.read()
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"not a message of this project: {error!r}") from None


def _check_profile(text: str, room: Room) -> None:
    """Raise unless it is a profile of the room, because browsers get the text unchanged."""
    if len(text) > PROFILE_MAX:
        raise ProtocolError(f"a profile of more than {PROFILE_MAX} characters")
    [said] = parse(text)
    if not isinstance(said, ProfileUpdate):
        raise ProtocolError("the text is not a profile")
    if (said.symbol, said.timeframe) != (room.symbol, room.timeframe):
        raise ProtocolError(f"the text is not a profile of {room}")


@functools.lru_cache(maxsize=4096)
def _room(text: str) -> Room:
    return Room.from_text(text)


@functools.lru_cache(maxsize=4096)
def _hashes(text: str) -> Hashes:
    hashes = (text[at : at + HASH_LENGTH] for at in range(0, len(text), HASH_LENGTH))
    return tuple(dict.fromkeys(hashes))


def _rooms(texts: tuple[str, ...], viewers: tuple[str, ...] = ()) -> Iterator[tuple[Room, Hashes]]:
    """Read the first ``ROOMS_MAX`` rooms, which were needed first, and who watches them.

    What is no room is left out, and what is no hash counts as not known.
    """
    for text, hashes in zip(texts[:ROOMS_MAX], chain(viewers, repeat("")), strict=False):
        try:
            room = _room(text)
        except RoomError:
            count("layer_malformed")
            continue
        if not _HASHES.fullmatch(hashes):
            count("layer_malformed")
            hashes = ""
        yield room, _hashes(hashes)


def _builtins(message: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(message)
    return built
