"""The channel layer between the stream and the hubs, and nothing else that knows it.

What is said over it stands in ``events``. Over the in-memory layer, the core layer
and those of others a bus is a member like any consumer. The pub/sub layer awaits a
Redis round trip a message sent and polls for those that come; there a bus keeps
connections of its own, with the layer's hosts, shards, names and serialiser, so that
the site's own consumers on that layer hear us and we hear them.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, suppress
from itertools import islice
from typing import Any, TypeVar

from channels.exceptions import InvalidChannelLayerError
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import create_pool
from redis.exceptions import TimeoutError as RedisTimeoutError

from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError, ProtocolError
from django_fcs.prices.updates import Update
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.backoff import doubling
from django_fcs.tools.metrics import count
from django_fcs.tools.tasks import end

from .events import DEMAND, HUBS, Announcement, Beat, Event, RoomNotice, read_event
from .inbox import Inbox
from .line import Line
from .shard import Shard
from .wire import command

__all__ = [
    "DEMAND",
    "HUBS",
    "Announcement",
    "Beat",
    "Bus",
    "Event",
    "RoomNotice",
    "layer_is_in_memory",
    "lease_line",
    "on_the_layer",
    "site_layer",
]

logger = logging.getLogger(__name__)

#: A call to a healthy layer takes milliseconds; beyond this it counts as failed.
CALL_SECONDS = 5

#: Who closes a sick layer waits no longer for each call than this.
CLOSE_SECONDS = 0.5

#: Layers forget a member after ``group_expiry``, and the in-memory one where a message
#: lay unread for a minute, as in a laptop that slept. So groups are added again, all in
#: the time it takes at two a second: a round trip each over the core layer.
READD_SECONDS = 5
READD_GROUP_SECONDS = 0.5

#: The longest pause before a reconnect to a channel layer that failed.
RECONNECT_MAX_SECONDS = 5

#: Messages that may wait here to be worked off; more wait in the layer.
INBOX_MAX = 1000

#: Messages that go to Redis in one write: some 100 kB, a few milliseconds of its time.
PIPELINE_MAX = 200

_NO_LAYER = (
    "CHANNEL_LAYERS has no {alias!r}: add to your settings CHANNEL_LAYERS = "
    '{{"{alias}": {{"BACKEND": "channels.layers.InMemoryChannelLayer"}}}} for one process, or '
    '{{"{alias}": {{"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", '
    '"CONFIG": {{"hosts": ["redis://localhost:6379"]}}}}}} for many'
)

R = TypeVar("R")
Message = dict[str, Any]


class Bus:
    """One member of the channel layer, for a stream or a hub.

    Over Redis it is a layer instance of its own, so that a sick connection is
    thrown away whole and the site's own consumers do not notice. Calls raise
    whatever the layer raises, and ``asyncio.TimeoutError`` after ``CALL_SECONDS``;
    none connects again by itself.
    """

    def __init__(self, *groups: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._member = _member_of_the_layer()
        self._fixed = groups
        self._groups: set[str] = set()
        self._monotonic = monotonic
        self._added_at = monotonic()

    async def __aenter__(self) -> Bus:
        async with AsyncExitStack() as undo:
            undo.push_async_exit(self)
            await self.subscribe(())
            undo.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._member.close()

    async def subscribe(self, rooms: Iterable[Room]) -> None:
        """Be a member of exactly these rooms' groups, and of those named at first.

        Called now and then it also finds out that the layer does not answer.
        """
        wanted = {*self._fixed, *(room.group for room in rooms)}
        joining = wanted - self._groups
        now = self._monotonic()
        if now - self._added_at > self._readd_seconds(len(wanted)):
            self._added_at = now
            joining = wanted
        await self._member.change(joining, self._groups - wanted)
        self._groups = wanted

    def _readd_seconds(self, groups: int) -> float:
        return min(max(READD_SECONDS, groups * READD_GROUP_SECONDS), self._member.forgets_after / 3)

    async def publish(self, updates: Iterable[Update]) -> None:
        """Send each update to its room's group, in order."""
        await self._member.send((update.room.group, update.event()) for update in updates)

    async def beat(self, beat: Beat) -> None:
        """Tell all hubs that the stream is alive."""
        await self._member.send([(HUBS, beat.event())])

    async def tell(self, *notices: RoomNotice) -> None:
        """Tell all hubs what is known of rooms beside their prices."""
        await self._member.send((HUBS, one.event()) for one in notices)

    async def announce(self, announcement: Announcement) -> None:
        """Tell the stream which rooms a hub needs."""
        await self._member.send([(DEMAND, announcement.event())])

    async def bursts(self) -> AsyncGenerator[list[Event], None]:
        """Iterate over what comes in on this member's groups, for ever.

        Each list holds in order what came while the one before was worked off, some
        ``INBOX_MAX`` at most and never nothing. Any code of the site can send to a
        group: what is malformed is counted, logged and dropped.
        """
        while True:
            burst: list[Event] = []
            for message in await self._member.receive():
                try:
                    burst.append(read_event(message))
                except ProtocolError as error:
                    _drop(error)
            if burst:
                yield burst


async def on_the_layer(
    group: str,
    work: Callable[[Bus], Awaitable[bool]],
    *,
    counter: str,
    intervals: Intervals = DEFAULT,
) -> None:
    """Work with a bus, and with a new one after each failure, until the work returns True.

    A layer instance that failed is thrown away whole. Each failure is counted under ``counter``.
    """
    pauses = doubling(first=intervals.reconnect, cap=RECONNECT_MAX_SECONDS)
    while True:
        try:
            async with Bus(group) as bus:
                pauses = doubling(first=intervals.reconnect, cap=RECONNECT_MAX_SECONDS)
                if await work(bus):
                    return
        except Exception as error:
            count(counter)
            logger.warning("channel layer failed, reconnecting reason=%r", error)
            await asyncio.sleep(next(pauses))


class _LayerMember:
    """A channel in groups, as any consumer has one."""

    def __init__(self, layer: Any, *, is_own: bool) -> None:
        self.forgets_after: float = getattr(layer, "group_expiry", math.inf)
        self._layer = layer
        self._is_own = is_own
        self._channel = ""
        self._groups: set[str] = set()
        self._inbox: Inbox[Message] = Inbox(INBOX_MAX)
        self._receiving: asyncio.Future[None] | None = None

    async def change(self, joining: set[str], leaving: set[str]) -> None:
        if not self._channel:
            self._channel = await _limited(self._layer.new_channel())
        for group in joining:
            await _limited(self._layer.group_add(group, self._channel))
            self._groups.add(group)
        for group in leaving:
            await _limited(self._layer.group_discard(group, self._channel))
            self._groups.discard(group)

    async def send(self, messages: Iterable[tuple[str, Message]]) -> None:
        # One after the other: gathered, the in-memory layer loses what exceeds its capacity.
        for group, message in messages:
            await _limited(self._layer.group_send(group, message))

    async def receive(self) -> list[Message]:
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        return await self._inbox.take()

    async def _receive(self) -> None:
        """Take what the layer has, without a pass of the loop for each."""
        try:
            while True:
                # redis-py 8 ends an idle wait of the core layer after 5 s.
                with suppress(RedisTimeoutError):
                    # No time limit: the pub/sub layer would destroy the channel.
                    await self._inbox.put([await self._layer.receive(self._channel)])
        except Exception as error:
            self._inbox.fail(error)

    async def close(self) -> None:
        if self._receiving is not None:
            await end(self._receiving)
        try:
            for group in self._groups:
                await _limited(self._layer.group_discard(group, self._channel), CLOSE_SECONDS)
        except Exception as failure:
            logger.warning("cannot close the channel layer cleanly reason=%r", failure)
        # ``flush`` would take the site's own channels along.
        if self._is_own and hasattr(self._layer, "close_pools"):
            try:
                await _limited(self._layer.close_pools(), CLOSE_SECONDS)
            except Exception as failure:
                logger.warning("cannot close the channel layer cleanly reason=%r", failure)


class _PubSubMember:
    """Redis channels that bear the names of the pub/sub layer's groups."""

    forgets_after = math.inf

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        # Not the layer's own one of this loop, for which it wraps ``loop.close`` each time.
        self._names = RedisPubSubLoopLayer(*layer._args, **layer._kwargs, channel_layer=layer)
        self._inbox: Inbox[bytes] = Inbox(INBOX_MAX)
        self._shards = {
            shard: Shard(create_pool(shard.host), self._inbox) for shard in self._names._shards
        }

    async def change(self, joining: set[str], leaving: set[str]) -> None:
        changes: dict[Shard, tuple[list[bytes], list[bytes]]] = {}
        for which, groups in enumerate((joining, leaving)):
            for group in groups:
                shard, channel = self._place(group)
                changes.setdefault(shard, ([], []))[which].append(channel)
        for shard in self._shards.values():
            await _limited(shard.change(*changes.get(shard, ([], []))))

    async def send(self, messages: Iterable[tuple[str, Message]]) -> None:
        waiting = iter(messages)
        while some := list(islice(waiting, PIPELINE_MAX)):
            commands: dict[Shard, list[bytes]] = {}
            for group, message in some:
                shard, channel = self._place(group)
                data = self._layer.serialize(message)
                commands.setdefault(shard, []).append(command(b"PUBLISH", channel, data))
            for shard, its in commands.items():
                await _limited(shard.publish(its))

    async def receive(self) -> list[Message]:
        return list(self._deserialised(await self._inbox.take()))

    def _deserialised(self, payloads: Iterable[bytes]) -> Iterator[Message]:
        for payload in payloads:
            try:
                yield self._layer.deserialize(payload)
            except Exception as error:  # each serialiser has its own
                _drop(error)

    def _place(self, group: str) -> tuple[Shard, bytes]:
        channel = self._names._get_group_channel_name(group)
        return self._shards[self._names._get_shard(channel)], channel.encode()

    async def close(self) -> None:
        for shard in self._shards.values():
            await shard.close()


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


def lease_line() -> tuple[Line, str] | None:
    """Return a line to the layer's first Redis, and its prefix; None over other layers.

    It is not opened before the first question.
    """
    layer = site_layer()
    if isinstance(layer, RedisPubSubChannelLayer):
        names = RedisPubSubLoopLayer(*layer._args, **layer._kwargs, channel_layer=layer)
        return Line(create_pool(names._shards[0].host)), names.prefix
    if isinstance(layer, RedisChannelLayer):
        return Line(create_pool(layer.hosts[0])), layer.prefix
    return None


def _member_of_the_layer() -> _LayerMember | _PubSubMember:
    layer = site_layer()
    if isinstance(layer, InMemoryChannelLayer):
        return _LayerMember(layer, is_own=False)
    layer = channel_layers.make_backend(conf.FCS_CHANNEL_LAYER)
    if isinstance(layer, RedisPubSubChannelLayer):
        return _PubSubMember(layer)
    return _LayerMember(layer, is_own=True)


def _drop(error: Exception) -> None:
    if count("layer_malformed"):
        logger.warning("malformed group message dropped reason=%r", error)


async def _limited(call: Awaitable[R], seconds: float | None = None) -> R:
    return await asyncio.wait_for(call, CALL_SECONDS if seconds is None else seconds)
