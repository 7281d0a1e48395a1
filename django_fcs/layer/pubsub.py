"""A member of the pub/sub layer of channels_redis with connections of its own.

The layer awaits a round trip to Redis for each message that it sends, and polls for those
that it receives. A ``PubSubMember`` sends and receives many at a time. It uses the layer's
hosts, shards, channel names and serialiser, so it and the site's own consumers receive each
other's messages. Several of the names that it needs are private: see ``missing_names``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

# As modules: a name that is missing must not break the import.
from channels_redis import pubsub, utils

from django_fcs.tools.tasks import limited

from .hosts import pools_of
from .inbox import Inbox
from .member import INBOX_MAX, LayerMessage, drop_malformed
from .shard import Shard
from .wire import command

__all__ = ["PIPELINE_MAX", "PubSubMember", "first_server", "missing_names"]

#: Messages in one write to Redis: some 100 kB, which take it a few milliseconds.
PIPELINE_MAX = 200

#: If the layer writes this as plain msgpack, messages are read without the layer: that takes
#: one step less.
_PROBE = {"type": "fcs.probe"}

_OF_THE_LAYER = ("_args", "_kwargs", "serialize", "deserialize")
_OF_ITS_LOOP = ("prefix", "_shards", "_get_shard", "_get_group_channel_name")


def missing_names(layer: Any) -> list[str]:
    """Return the names that this module needs and the installed channels_redis does not have.

    Nothing connects to Redis. ``layer`` is a ``RedisPubSubChannelLayer``.
    """
    places = {"RedisPubSubLoopLayer": pubsub, "create_pool": utils}
    missing = [name for name, place in places.items() if not hasattr(place, name)]
    # Not ``hasattr``: without a running loop the layer raises RuntimeError for unknown names.
    known = {*vars(layer), *dir(type(layer))}
    missing += [name for name in _OF_THE_LAYER if name not in known]
    if missing:
        return missing
    names = _names_of(layer)
    missing = [name for name in _OF_ITS_LOOP if not hasattr(names, name)]
    if not missing and not all(hasattr(shard, "host") for shard in names._shards):
        missing = ["host"]
    return missing


def first_server(layer: Any) -> tuple[Any, str]:
    """Return a ``ConnectionPool`` of redis-py for the layer's first Redis, and its prefix.

    Raises ``ConfigurationError`` if any of the layer's hosts cannot be used.
    """
    names = _names_of(layer)
    return _pools(names)[0], names.prefix


class PubSubMember:
    """A subscriber of the Redis channels that belong to the groups of the pub/sub layer."""

    forgets_after = math.inf

    def __init__(self, layer: Any, *, call_seconds: float) -> None:
        self._layer = layer
        self._call_seconds = call_seconds
        # Not so if the site chose another serialiser, or encrypts.
        self._is_msgpack = layer.serialize(_PROBE) == msgspec.msgpack.encode(_PROBE)
        self._names = _names_of(layer)
        self._inbox: Inbox[bytes] = Inbox(INBOX_MAX)
        shards = self._names._shards
        self._shards = {
            shard: Shard(pool, self._inbox)
            for shard, pool in zip(shards, _pools(self._names), strict=True)
        }

    async def change(self, joining: set[str], leaving: set[str]) -> None:
        changes: dict[Shard, tuple[list[bytes], list[bytes]]] = {}
        for which, groups in enumerate((joining, leaving)):
            for group in groups:
                shard, channel = self._place(group)
                changes.setdefault(shard, ([], []))[which].append(channel)
        for shard in self._shards.values():
            change = shard.change(*changes.get(shard, ([], [])))
            await limited(change, self._call_seconds)

    async def send(self, messages: Iterable[tuple[str, LayerMessage]]) -> None:
        waiting = iter(messages)
        while some := list(islice(waiting, PIPELINE_MAX)):
            commands: dict[Shard, list[bytes]] = {}
            for group, message in some:
                shard, channel = self._place(group)
                data = self._layer.serialize(message)
                commands.setdefault(shard, []).append(command(b"PUBLISH", channel, data))
            for shard, its in commands.items():
                await limited(shard.publish(its), self._call_seconds)

    async def receive(self) -> Sequence[LayerMessage | bytes]:
        payloads = await self._inbox.take()
        return payloads if self._is_msgpack else list(self._deserialised(payloads))

    def _deserialised(self, payloads: Iterable[bytes]) -> Iterator[LayerMessage]:
        for payload in payloads:
            try:
                yield self._layer.deserialize(payload)
            except Exception as error:  # Each serialiser raises its own.
                drop_malformed(error)

    def _place(self, group: str) -> tuple[Shard, bytes]:
        channel = self._names._get_group_channel_name(group)
        return self._shards[self._names._get_shard(channel)], channel.encode()

    async def close(self) -> None:
        for shard in self._shards.values():
            await shard.close()


def _names_of(layer: Any) -> Any:
    """Return the object that knows the shards and channel names of a layer."""
    # A new one: the layer wraps ``loop.close`` when it makes its own.
    return pubsub.RedisPubSubLoopLayer(*layer._args, **layer._kwargs, channel_layer=layer)


def _pools(names: Any) -> list[Any]:
    hosts = [shard.host for shard in names._shards]
    return pools_of(hosts, lambda number: utils.create_pool(hosts[number]))
