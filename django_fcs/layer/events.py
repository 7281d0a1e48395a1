"""What stream and hubs say to each other over the channel layer.

========== ======================= ============================================
group      from → to               message types
========== ======================= ============================================
room.group stream → hubs, anybody  ``fcs.price``, and never another
fcs.hubs   stream → hubs           ``fcs.beat``, ``fcs.room``
fcs.demand hubs → stream           ``fcs.demand``
========== ======================= ============================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django_fcs.exceptions import ProtocolError
from django_fcs.prices.states import Expectation, Outage
from django_fcs.prices.updates import EVENT_TYPE, Update
from django_fcs.protocol import ProfileUpdate, parse
from django_fcs.rooms import Room

__all__ = ["DEMAND", "HUBS", "Beat", "Call", "Event", "RoomNews", "read_event"]

HUBS = "fcs.hubs"
DEMAND = "fcs.demand"

_BEAT, _ROOM, _CALL = "fcs.beat", "fcs.room", "fcs.demand"


@dataclass(frozen=True)
class Beat:
    """The stream is alive; whether the vendor is, and why not."""

    epoch: int
    at: float
    """Unix seconds, on the stream's clock."""
    online: bool
    reason: str
    outage: Outage = Outage()
    silence: float = 0.0
    """For how many seconds the vendor had not been heard."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        return {"type": _BEAT, **vars(self), "outage": list(self.outage)}


@dataclass(frozen=True)
class RoomNews:
    """What is known of a room beside its price."""

    room: Room
    profile: str
    """The text of its profile frame; empty where none came."""
    expected: Expectation | None
    """``None`` where the stream knows nothing of it."""
    trouble: str = ""
    """Why no price of it can come; empty where one can."""

    def event(self) -> dict[str, Any]:
        """Return the message that goes to all hubs."""
        return {
            "type": _ROOM,
            "room": str(self.room),
            "profile": self.profile,
            "expected": self.expected and list(self.expected),
            "trouble": self.trouble,
        }


@dataclass(frozen=True)
class Call:
    """A hub says which rooms it needs, and which of them it has no price of."""

    hub: str
    rooms: tuple[Room, ...]
    new: tuple[Room, ...]

    def event(self) -> dict[str, Any]:
        """Return the message that goes to the stream."""
        rooms, new = [str(room) for room in self.rooms], [str(room) for room in self.new]
        return {"type": _CALL, "hub": self.hub, "rooms": rooms, "new": new}


Event = Update | Beat | RoomNews | Call


def read_event(message: Mapping[str, Any]) -> Event:
    """Read a group's message; raises ``ProtocolError`` for anything malformed."""
    try:
        return _READERS[message["type"]](message)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"not a message of this project: {error!r}") from None


def _read_beat(message: Mapping[str, Any]) -> Beat:
    at = float(message["at"])
    if not math.isfinite(1000 * at):  # Browsers are told milliseconds.
        raise ValueError(f"{at} is no time")
    outage = Outage(*map(float, message["outage"]))
    silence = float(message["silence"])
    if not all(map(math.isfinite, (*outage, silence))):
        raise ValueError(f"{outage} and {silence} are no times")
    return Beat(
        epoch=int(message["epoch"]),
        at=at,
        online=bool(message["online"]),
        reason=str(message["reason"]),
        outage=outage,
        silence=silence,
    )


def _read_room(message: Mapping[str, Any]) -> RoomNews:
    room, profile = Room.from_text(message["room"]), message["profile"]
    if profile != "":
        # It goes to browsers as it is, so it has to be what it says.
        [said] = parse(profile) if isinstance(profile, str) else [None]
        if not isinstance(said, ProfileUpdate):
            raise ValueError("no text of a profile")
        if (said.symbol, said.timeframe) != (room.symbol, room.timeframe):
            raise ValueError(f"a profile of another room than {room}")
    return RoomNews(room, profile, _read_expectation(message["expected"]), str(message["trouble"]))


def _read_expectation(numbers: Any) -> Expectation | None:
    if numbers is None:
        return None
    closed, *seconds, overdue = expected = Expectation(*numbers)
    if not isinstance(closed, bool) or not isinstance(overdue, bool) or expected.patience is None:
        raise ValueError(f"{expected} says nothing of a room")
    if not all(number is None or math.isfinite(number) for number in seconds):
        raise ValueError(f"{expected} holds what is no time")
    return expected


def _read_call(message: Mapping[str, Any]) -> Call:
    return Call(
        hub=str(message["hub"]),
        rooms=tuple(Room.from_text(text) for text in message["rooms"]),
        new=tuple(Room.from_text(text) for text in message["new"]),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    EVENT_TYPE: Update.from_event,
    _BEAT: _read_beat,
    _ROOM: _read_room,
    _CALL: _read_call,
}
