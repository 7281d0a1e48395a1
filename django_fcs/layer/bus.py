"""The channel layer between the stream and the hubs. Only this wing uses it.

``events`` lists the messages. Over the pub/sub layer of channels_redis, a bus keeps
connections of its own (``pubsub``). Over all other layers it is a member like any
consumer (``member``), and over the pub/sub layer too if a name that ``pubsub`` needs
is missing in the installed libraries.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

from channels.exceptions import InvalidChannelLayerError
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError, ProtocolError
from django_fcs.prices.updates import Update
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.sharing.databases import database_number, layer_database
from django_fcs.sharing.mark import marked, site_mark
from django_fcs.tools.backoff import doubling
from django_fcs.tools.fallbacks import warn_once
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.redaction import reason_of, site_keys, without_secrets

from . import pubsub, streams
from .events import (
    DEMAND,
    HUBS,
    Announcement,
    AskAgain,
    Beat,
    CandleNote,
    GroupEvent,
    RoomNotice,
    Wish,
    read_event,
)
from .hosts import pools_of
from .line import Line
from .member import CALL_SECONDS, LayerMember, drop_malformed
from .pubsub import PubSubMember

__all__ = [
    "DEMAND",
    "HUBS",
    "Announcement",
    "AskAgain",
    "Beat",
    "Bus",
    "CandleNote",
    "GroupEvent",
    "RoomNotice",
    "Wish",
    "check_hosts",
    "database_mistaken",
    "layer_is_in_memory",
    "lease_line",
    "missing_names",
    "on_the_layer",
    "site_layer",
]

logger = logger_of(__name__)

#: Layers drop a member after ``group_expiry``. The in-memory layer also drops it when a
#: message was not read for a minute, as on a laptop that slept. So all groups are added
#: again, not more often than every ``READD_SECONDS`` and half a second for each group:
#: over the core layer each one costs a round trip.
READD_SECONDS = 5
READD_GROUP_SECONDS = 0.5

#: The longest pause before it reconnects to a channel layer that failed.
RECONNECT_MAX_SECONDS = 5

_NO_LAYER = (
    "CHANNEL_LAYERS has no {alias!r}: add to your settings CHANNEL_LAYERS = "
    '{{"{alias}": {{"BACKEND": "channels.layers.InMemoryChannelLayer"}}}} for one process, or '
    '{{"{alias}": {{"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", '
    '"CONFIG": {{"hosts": ["redis://localhost:6379"]}}}}}} for many'
)


class Bus:
    """One member of the channel layer, for a stream or a hub.

    Over Redis it has a layer instance of its own. So a connection that fails can be
    replaced without an effect on the site's own consumers. Calls raise what the layer
    raises, and ``asyncio.TimeoutError`` after ``call_seconds``. They do not reconnect.
    """

    def __init__(
        self,
        *groups: str,
        call_seconds: float = CALL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._member = _member_of_the_layer(call_seconds)
        if mistake := database_mistaken():
            _complain_once(mistake)
        self._mark = site_mark()
        self._fixed = [marked(group, self._mark) for group in groups]
        self._groups: set[str] = set()
        self._monotonic = monotonic
        self._clock = clock
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
        """Join the groups of these rooms and leave those of all others.

        The groups given to the constructor stay joined. A call without a change finds
        out whether the layer still answers.
        """
        wanted = {*self._fixed, *(room.group_of(self._mark) for room in rooms)}
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
        await self._member.send(
            (update.room.group_of(self._mark), update.event()) for update in updates
        )

    async def beat(self, beat: Beat) -> None:
        """Send a heartbeat to all hubs."""
        await self._member.send([(marked(HUBS, self._mark), beat.event())])

    async def tell(self, *notices: RoomNotice | CandleNote) -> None:
        """Send all hubs what is known about rooms apart from their prices."""
        hubs = marked(HUBS, self._mark)
        await self._member.send((hubs, one.event()) for one in notices)

    async def ask_again(self, request: AskAgain) -> None:
        """Make all hubs have permissions asked for again."""
        await self._member.send([(marked(HUBS, self._mark), request.event())])

    async def announce(self, announcement: Announcement) -> None:
        """Send the stream the rooms that a hub needs."""
        await self._member.send([(marked(DEMAND, self._mark), announcement.event())])

    async def wish(self, *wishes: Wish) -> None:
        """Send the stream requests for candles."""
        demand = marked(DEMAND, self._mark)
        await self._member.send((demand, one.event()) for one in wishes)

    async def bursts(self) -> AsyncGenerator[list[GroupEvent], None]:
        """Iterate without end over the messages that this member receives.

        Each list holds the messages that arrived while the caller processed the list
        before, in order: at least one, and about ``member.INBOX_MAX`` at most. Any code
        of the site can send to a group. Malformed messages are counted, logged and
        dropped.
        """
        while True:
            burst: list[GroupEvent] = []
            for message in await self._member.receive():
                try:
                    burst.append(read_event(message, self._clock()))
                except ProtocolError as error:
                    drop_malformed(error)
            if burst:
                yield burst


async def on_the_layer(
    group: str,
    work: Callable[[Bus], Awaitable[bool]],
    *,
    counter: str,
    intervals: Intervals = DEFAULT,
) -> None:
    """Run ``work`` with a bus, and with a new bus after each failure, until it returns True.

    A new bus has a new layer instance. Each failure is counted under ``counter``.
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
            logger.warning("channel layer failed, reconnecting reason=%s", reason_of(error))
            await asyncio.sleep(next(pauses))


def site_layer() -> Any:
    """Return the site's channel layer.

    Raises ``ConfigurationError``, which says what to add to the settings.
    """
    alias = conf.FCS_CHANNEL_LAYER
    try:
        return channel_layers[alias]
    except KeyError:
        raise ConfigurationError(_NO_LAYER.format(alias=alias)) from None
    except InvalidChannelLayerError as error:
        text = without_secrets(f"CHANNEL_LAYERS: {error}", *site_keys())
        raise ConfigurationError(text) from None


def layer_is_in_memory() -> bool:
    """Return whether the site runs in one process. Raises ``ConfigurationError``."""
    return isinstance(site_layer(), InMemoryChannelLayer)


def check_hosts() -> None:
    """Raise ``ConfigurationError`` if redis-py cannot use a host of the channel layer.

    The text says which host, and what to write. Nothing connects to Redis.
    """
    _first_server()


def lease_line() -> tuple[Line, str] | None:
    """Return a ``Line`` to the layer's first Redis, and the layer's prefix.

    Returns None for layers that are not from channels_redis. The first command opens
    the connection. Raises ``ConfigurationError``.
    """
    found = _first_server()
    return None if found is None else (Line(found[0]), found[1])


def database_mistaken() -> str:
    """Return what is wrong with the mark of this site, "" if nothing is.

    The mark follows from the settings. A layer of the site's own may open another database
    than its settings say. Nothing connects to Redis.
    """
    if conf.FCS_SITE or (found := _first_server()) is None:
        return ""
    pool, _ = found
    opened, said = database_number(pool.connection_kwargs.get("db")), layer_database()
    if opened == said:
        return ""
    return (
        f"the channel layer opens database {opened} of Redis, but CHANNEL_LAYERS says {said}: "
        "set FCS_SITE, or this site receives the prices of others"
    )


def missing_names() -> dict[str, list[str]]:
    """Return the private names that the site's layer needs and that a library does not have.

    The keys are the libraries. While a name is missing, public calls are used instead.
    Nothing connects to Redis. Raises ``ConfigurationError``, also for a wrong ``CONFIG``.
    """
    layer, missing = site_layer(), {}
    if isinstance(layer, RedisPubSubChannelLayer):
        try:
            missing["channels_redis"] = pubsub.missing_names(layer)
        except Exception as error:  # Whatever the library raises for it.
            text = f"Correct CONFIG in CHANNEL_LAYERS: {reason_of(error)}"
            raise ConfigurationError(text) from None
    if isinstance(layer, (RedisPubSubChannelLayer, RedisChannelLayer)):
        missing["redis"] = streams.missing_names()
    return {library: names for library, names in missing.items() if names}


def _first_server() -> tuple[Any, str] | None:
    """Return a pool of redis-py for the layer's first Redis, and the layer's prefix."""
    layer = site_layer()
    if isinstance(layer, RedisPubSubChannelLayer):
        if not (missing := pubsub.missing_names(layer)):
            return pubsub.first_server(layer)
        warn_once("channels_redis", *missing)
        layer = _core_layer_of_the_same_hosts()
    if not isinstance(layer, RedisChannelLayer):
        return None
    return pools_of(layer.hosts, layer.create_pool)[0], layer.prefix


@functools.cache
def _complain_once(text: str) -> None:
    logger.error("%s", text)


def _member_of_the_layer(call_seconds: float) -> LayerMember | PubSubMember:
    layer = site_layer()
    if isinstance(layer, InMemoryChannelLayer):
        return LayerMember(layer, is_own=False, call_seconds=call_seconds)
    if not isinstance(layer, RedisPubSubChannelLayer):
        return LayerMember(_new_layer(), is_own=True, call_seconds=call_seconds)
    if missing := missing_names():
        for library, names in missing.items():
            warn_once(library, *names)
        # The pub/sub layer reconnects by itself. Each further instance would wrap ``loop.close``.
        return LayerMember(layer, is_own=False, call_seconds=call_seconds)
    return PubSubMember(_new_layer(), call_seconds=call_seconds)


def _new_layer() -> Any:
    return channel_layers.make_backend(conf.FCS_CHANNEL_LAYER)


def _core_layer_of_the_same_hosts() -> RedisChannelLayer:
    config = channel_layers.configs[conf.FCS_CHANNEL_LAYER].get("CONFIG", {})
    return RedisChannelLayer(**{name: config[name] for name in {"hosts", "prefix"} & config.keys()})
