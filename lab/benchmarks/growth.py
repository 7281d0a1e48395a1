"""How the cost grows with rooms and browsers, and the load of Redis."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis

from .rig import Rig
from .table_of_peers import Peer

__all__ = ["measure_browsers", "measure_rooms"]

_PROCESSES = (1, 2)

_BROWSERS = (1, 10, 100, 500, 1000, 2000)
_UPDATES_TO_ALL = 5

#: With a consumer per browser, more browsers would only measure a queue that grows.
_BROWSERS_OF_THE_TUTORIAL = (1, 10, 100, 500)

_ROOMS = (1, 10, 100, 1000)
_BROWSERS_IN_ALL_ROOMS = 20
_UPDATES_OVER_ALL_ROOMS = 40


def measure_browsers(peer: Peer, seconds: float) -> list[dict[str, Any]]:
    """Measure increasing numbers of browsers in one room that changes five times a second."""
    is_tutorial = peer.feeder == "publisher"
    steps = _BROWSERS_OF_THE_TUTORIAL if is_tutorial else _BROWSERS
    rows = []
    for processes in _PROCESSES[:1] if is_tutorial else _PROCESSES:
        with Rig(peer, 1, web_processes=processes) as rig:
            rig.rate(_UPDATES_TO_ALL)
            opened = 0
            for browsers in steps:
                rig.browsers.ask(
                    do="open", count=browsers - opened, ports=rig.ports, rooms=1, timeout=90
                )
                opened = browsers
                rows.append(_step(rig, seconds, processes, browsers))
    return rows


def measure_rooms(peer: Peer, seconds: float) -> list[dict[str, Any]]:
    """Measure the same rate over increasing numbers of rooms, all watched by all browsers."""
    rows = []
    for processes in _PROCESSES:
        for rooms in _ROOMS:
            with Rig(peer, rooms, web_processes=processes) as rig:
                rig.rate(_UPDATES_OVER_ALL_ROOMS)
                rig.browsers.ask(
                    do="open",
                    count=_BROWSERS_IN_ALL_ROOMS,
                    ports=rig.ports,
                    rooms=rooms,
                    rooms_each=rooms,
                    timeout=90,
                )
                rows.append(_step(rig, seconds, processes, rooms))
    return rows


def _step(rig: Rig, seconds: float, processes: int, x: int) -> dict[str, Any]:
    time.sleep(1)
    return {"processes": processes, "x": x, **rig.measure(seconds), **_load_of_redis(rig.redis_url)}


def _load_of_redis(url: str) -> dict[str, int]:
    """Count connections, subscriptions and members of the channel layer at Redis.

    A member has its own channel in addition to those of the groups, or a connection that
    subscribes only to groups.
    """
    with Redis.from_url(url) as redis:
        clients = redis.client_list()
        channels = [channel.decode() for channel in redis.pubsub_channels()]
    listening = [int(client["sub"]) for client in clients if int(client["sub"])]
    own = sum("__group__" not in channel for channel in channels)
    return {
        "connections": len(clients),
        "members": max(own, len(listening)),
        "subscriptions": sum(listening),
    }
