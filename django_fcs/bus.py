"""The channel layer between the stream and the hubs, and nothing else that knows it.

========== ======================= ============================================
group      from → to               message types
========== ======================= ============================================
room.group stream → hubs, anybody  ``fcs.price``, and never another
fcs.hubs   stream → hubs           ``fcs.beat``, ``fcs.room``
fcs.demand hubs → stream           ``fcs.demand``
========== ======================= ============================================
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from channels.exceptions import InvalidChannelLayerError
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import TimeoutError as RedisTimeoutError

from .conf import conf
from .exceptions import ConfigurationError
from .metrics import count
from .rooms import Room
from .updates import EVENT_TYPE, Update

__all__ = ["Beat", "Bus", "Call", "RoomNews", "layer_is_in_memory", "site_layer"]

logger = logging.getLogger(__name__)

HUBS = "fcs.hubs"
DEMAND = "fcs.demand"

#: A call to a healthy layer takes milliseconds; beyond this it counts as failed.
CALL_SECONDS = 5

#: Layers forget a member after 24 h, the in-memory one also after a minute's sleep.
READD_SECONDS = 600

_NO_LAYER = (
    "CHANNEL_LAYERS has no {alias!r}: add to your settings CHANNEL_LAYERS = "
    '{{"{alias}": {{"BACKEND": "channels.layers.InMemoryChannelLayer"}}}} for one process, or '
    '{{"{alias}": {{"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", '
    '"CONFIG": {{"hosts": ["redis://localhost:6379"]}}}}}} for many'
)

R = TypeVar("R")


@dataclass(frozen=True)
class Beat:
    """The stream is alive; whether the vendor is, and why not."""

    epoch: int
    at: float
    """Unix seconds, on the stream's clock."""
    online: bool
    reason: str


@dataclass(frozen=True)
class RoomNews:
    """What is known of a room beside its price."""

    room: Room
    profile: str
    """The text of its profile frame; empty where none came."""
    closed: bool


@dataclass(frozen=True)
class Call:
    """A hub says which rooms it needs, and which of them it has no price of."""

    hub: str
    rooms: tuple[Room, ...]
    new: tuple[Room, ...]


Event = Update | Beat | RoomNews | Call


class Bus:
    """One member of the channel layer, for a stream or a hub.

    Over Redis it is a layer instance of its own, so that a sick connection is
    thrown away whole and the site's own consumers do not notice. Calls raise
    whatever the layer raises, and ``asyncio.TimeoutError`` after ``CALL_SECONDS``.
    """

    def __init__(self, *groups: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._layer, self._is_own = _layer_for_a_bus()
        self._fixed = groups
        self._groups: set[str] = set()
        self._channel = ""
        self._monotonic = monotonic
        self._added_at = monotonic()

    async def __aenter__(self) -> Bus:
        async with AsyncExitStack() as undo:
            undo.push_async_exit(self)
            self._channel = await _limited(self._layer.new_channel())
            await self.subscribe(())
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            for group in self._groups:
                await _limited(self._layer.group_discard(group, self._channel))
        except Exception as failure:
            logger.warning("channel layer did not close well reason=%r", failure)
        finally:
            if self._is_own:
                await self._close()

    async def _close(self) -> None:
        """Throw the own instance away: a sick one would come back with its Redis."""
        try:
            await _limited(_close(self._layer))
        except Exception as failure:
            logger.warning("channel layer did not close well reason=%r", failure)

    async def subscribe(self, rooms: Iterable[Room]) -> None:
        """Be a member of exactly these rooms' groups, and of those named at first."""
        wanted = {*self._fixed, *(room.group for room in rooms)}
        now = self._monotonic()
        if now - self._added_at > READD_SECONDS:
            self._added_at = now
            for group in self._groups & wanted:
                await _limited(self._layer.group_add(group, self._channel))
        for group in wanted - self._groups:
            await _limited(self._layer.group_add(group, self._channel))
            self._groups.add(group)
        for group in self._groups - wanted:
            await _limited(self._layer.group_discard(group, self._channel))
            self._groups.discard(group)

    async def publish(self, updates: Iterable[Update]) -> None:
        """Send each update to its room's group, one after the other."""
        for update in updates:
            await self._send(update.room.group, update.event())

    async def beat(self, beat: Beat) -> None:
        """Tell all hubs that the stream is alive."""
        await self._send(HUBS, {"type": _BEAT, **vars(beat)})

    async def tell(self, news: RoomNews) -> None:
        """Tell all hubs what is known of a room beside its price."""
        await self._send(HUBS, {"type": _ROOM, **vars(news), "room": str(news.room)})

    async def announce(self, call: Call) -> None:
        """Tell the stream which rooms a hub needs."""
        rooms, new = [str(room) for room in call.rooms], [str(room) for room in call.new]
        await self._send(DEMAND, {"type": _CALL, "hub": call.hub, "rooms": rooms, "new": new})

    async def events(self) -> AsyncIterator[Event]:
        """Iterate over what comes in on this member's groups, for ever.

        Any code of the site can send to a group: what is malformed is counted,
        logged and dropped.
        """
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except RedisTimeoutError:
                continue  # redis-py 8 ends an idle wait of the core layer after 5 s
            try:
                yield _READERS[message["type"]](message)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                if count("bus_malformed"):
                    logger.warning("malformed group message dropped reason=%r", error)

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        await _limited(self._layer.group_send(group, message))


def site_layer() -> Any:
    """Return the site's channel layer; raises ``ConfigurationError`` with the cure."""
    alias = conf.FCS_CHANNEL_LAYER
    try:
        return channel_layers[alias]
    except KeyError:
        raise ConfigurationError(_NO_LAYER.format(alias=alias)) from None
    except InvalidChannelLayerError as error:
        raise ConfigurationError(f"CHANNEL_LAYERS: {error}") from None


def layer_is_in_memory() -> bool:
    """Tell whether the site runs in one process; raises ``ConfigurationError``."""
    return isinstance(site_layer(), InMemoryChannelLayer)


def _layer_for_a_bus() -> tuple[Any, bool]:
    layer = site_layer()
    if isinstance(layer, InMemoryChannelLayer):
        return layer, False
    return channel_layers.make_backend(conf.FCS_CHANNEL_LAYER), True


async def _close(layer: Any) -> None:
    """Close the connections of an own instance.

    ``flush`` only does that on the pub/sub layer; on any other it would take the
    site's own channels along.
    """
    if isinstance(layer, RedisPubSubChannelLayer):
        await layer.flush()
    elif hasattr(layer, "close_pools"):
        await layer.close_pools()


async def _limited(call: Awaitable[R]) -> R:
    return await asyncio.wait_for(call, CALL_SECONDS)


def _read_beat(message: dict[str, Any]) -> Beat:
    return Beat(
        epoch=int(message["epoch"]),
        at=float(message["at"]),
        online=bool(message["online"]),
        reason=str(message["reason"]),
    )


def _read_room(message: dict[str, Any]) -> RoomNews:
    return RoomNews(
        room=Room.from_text(message["room"]),
        profile=str(message["profile"]),
        closed=bool(message["closed"]),
    )


def _read_call(message: dict[str, Any]) -> Call:
    return Call(
        hub=str(message["hub"]),
        rooms=tuple(Room.from_text(text) for text in message["rooms"]),
        new=tuple(Room.from_text(text) for text in message["new"]),
    )


_BEAT, _ROOM, _CALL = "fcs.beat", "fcs.room", "fcs.demand"
_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    EVENT_TYPE: Update.from_event,
    _BEAT: _read_beat,
    _ROOM: _read_room,
    _CALL: _read_call,
}
