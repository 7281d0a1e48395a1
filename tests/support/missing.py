"""Libraries of which a later release has renamed a private name: they still use it, we cannot."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from channels_redis import pubsub, utils
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from redis.asyncio import Connection
from websockets.asyncio.client import ClientConnection, connect

from django_fcs.tools.fallbacks import warn_once
from django_fcs.upstream import connection

__all__ = ["NAMES", "RENAMED", "RenamedLayer", "rename", "warnings_of"]

RENAMED = "tests.support.missing.RenamedLayer"

#: What ``rename`` takes away, by library.
NAMES = {
    "channels_redis": [
        *("RedisPubSubLoopLayer", "create_pool", "_args", "_kwargs"),
        *("_shards", "_get_shard", "_get_group_channel_name", "prefix", "host"),
    ],
    "redis": ["_reader", "_writer"],
    "websockets": ["process_event", "data_received", "connection_made", "create_connection"],
}


class RenamedLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """One that keeps its arguments under other names, and knows its loop's class by itself."""

    _args: Any
    _kwargs: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._later_args, self._later_kwargs = self.__dict__.pop("_args"), self._kwargs
        del self._kwargs

    def _get_layer(self) -> Any:
        # What the layer's own code needs, while it runs.
        self._args, self._kwargs = self._later_args, self._later_kwargs
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(pubsub, "RedisPubSubLoopLayer", RedisPubSubLoopLayer, raising=False)
                return super()._get_layer()
        finally:
            del self._args, self._kwargs


def rename(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Take one of ``NAMES`` away; ``_args`` and ``_kwargs`` take ``RenamedLayer`` instead."""
    warn_once.cache_clear()
    if name == "RedisPubSubLoopLayer":
        monkeypatch.delattr(pubsub, name)
    elif name == "create_pool":
        monkeypatch.delattr(utils, name)
    elif name in ("_shards", "_get_shard", "_get_group_channel_name", "prefix"):
        _hide(monkeypatch, RedisPubSubLoopLayer, name)
    elif name == "host":
        _hide(monkeypatch, pubsub.RedisSingleShardConnection, name)
    elif name in NAMES["redis"]:
        _hide(monkeypatch, Connection, name)
    elif name == "create_connection":
        _drop_parameter(monkeypatch, name)
    elif name in NAMES["websockets"]:
        _replace_class(monkeypatch, name)


def warnings_of(caplog: pytest.LogCaptureFixture, library: str) -> list[str]:
    """Return what was logged of names that this library does not have."""
    return [line for line in caplog.messages if f"a name is missing library={library} " in line]


def _hide(monkeypatch: pytest.MonkeyPatch, kind: type, hidden: str) -> None:
    """Hide an attribute of instances from our code; the library's own still sees it."""

    def get(self: Any, name: str) -> Any:
        if name == hidden and sys._getframe(1).f_globals["__name__"].startswith("django_fcs."):
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    monkeypatch.setattr(kind, "__getattribute__", get)


def _replace_class(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Show us a class without a method; ``connect`` goes on with the real one."""
    kinds = [kind for kind in ClientConnection.__mro__ if kind.__module__.startswith("websockets.")]
    names = {name: None for kind in kinds for name in vars(kind) if not name.startswith("__")}
    del names[missing]
    place = {"__module__": ClientConnection.__module__}
    later = type("ClientConnection", (asyncio.Protocol,), {**names, **place})
    monkeypatch.setattr(connection, "ClientConnection", later)


def _drop_parameter(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make = connect.__init__

    def init(self: Any, uri: str, **kwargs: Any) -> None:
        assert name not in kwargs
        make(self, uri, **kwargs)

    monkeypatch.setattr(connect, "__init__", init)
