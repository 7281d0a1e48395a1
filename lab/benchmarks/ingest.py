"""How much one process takes in and publishes, and what happens beyond that."""

from __future__ import annotations

import time
from typing import Any

from lab.kit.processes import Worker

from .rig import Rig, calmest
from .table_of_peers import PEERS, Peer

__all__ = ["STEPS", "SUBSCRIBERS", "held", "measure_ingest"]

_ROOMS = 500
STEPS = (1000, 2500, 5000, 10000, 15000, 20000, 25000, 30000)

#: What counts as keeping up: next to all taken in, and all but some in a hundred
#: younger than this at Redis.
_TAKEN_SHARE = 0.98
AGE_MS = 100

_FLOOD_SECONDS = 12

#: Subscribers of every room, as so many web processes would be, and the rate for it.
SUBSCRIBERS = (1, 4, 16, 64)
_SPREAD_RATE = 2000
_WATCHED_IN_FLOOD = 20

#: Channels at Redis, and how a price there bears the moment of its sending.
_WATCHING = {
    "stream": ("asgi__group__fcs.BINANCE*", "text"),
    "publisher": ("asgi__group__price*", "msgpack"),
}


def held(row: dict[str, Any]) -> bool:
    """Say whether a step was kept up with."""
    if row["p99_ms"] is None:
        return False
    is_taken: bool = row["taken_per_second"] >= _TAKEN_SHARE * row["offered_per_second"]
    return is_taken and row["p99_ms"] <= AGE_MS


def measure_ingest(feeder: str, seconds: float) -> list[dict[str, Any]]:
    """Raise the rate until it is too much; then flood the stream with twice the best.

    One step that fails may be the machine's fault, two are the feeder's.
    """
    rows: list[dict[str, Any]] = []
    with Rig(Peer(feeder, "", feeder=feeder), _ROOMS, web_processes=0) as rig:
        with Worker("lab.benchmarks.watcher", str(rig.redis_port), *_WATCHING[feeder]) as watcher:
            for offered in STEPS:
                rig.rate(offered)
                time.sleep(2)
                rows.append(calmest(lambda: _step(rig, watcher, seconds)))
                rows[-1] = {"kind": "step", "offered_per_second": offered, **rows[-1]}
                if len(rows) > 1 and not any(map(held, rows[-2:])):
                    break
    if feeder == "stream":
        best = max((row["offered_per_second"] for row in rows if held(row)), default=STEPS[0])
        rows += [*_spread(seconds), _flood(2 * best)]
    return rows


def _spread(seconds: float) -> list[dict[str, Any]]:
    """See what Redis spends where ever more processes subscribe."""
    rows: list[dict[str, Any]] = []
    with Rig(Peer("stream", "", feeder="stream"), _ROOMS, web_processes=0) as rig:
        with Worker("lab.benchmarks.watcher", str(rig.redis_port), *_WATCHING["stream"]) as watcher:
            rig.rate(_SPREAD_RATE)
            before = 1
            for subscribers in SUBSCRIBERS:
                watcher.ask(do="listen", more=subscribers - before)
                before = subscribers
                time.sleep(2)
                step = calmest(lambda: _step(rig, watcher, seconds))
                rows.append({"kind": "spread", "subscribers": subscribers, **step})
    return rows


def _step(rig: Rig, watcher: Worker, seconds: float) -> dict[str, Any]:
    assert rig.feeder and rig.redis
    cpu, redis_cpu = rig.feeder.cpu_ns(), rig.redis.cpu_ns()
    sent = rig.source.ask(do="count")
    watcher.ask(do="start")
    time.sleep(seconds)
    sent_after, seen = rig.source.ask(do="count"), watcher.ask(do="stop")
    elapsed = sent_after["at"] - sent["at"]
    taken = max(1, sent_after["sent"] - sent["sent"])
    spent = rig.feeder.cpu_ns() - cpu
    return {
        "taken_per_second": taken / elapsed,
        "published_per_second": seen["prices"] / elapsed,
        "feeder_us": spent / 1000 / taken,
        "feeder_load": spent / 1e9 / elapsed,
        "redis_load": (rig.redis.cpu_ns() - redis_cpu) / 1e9 / elapsed,
        **{name: seen[name] for name in ("p50_ms", "p99_ms", "max_ms")},
    }


def _flood(offered: float) -> dict[str, Any]:
    """Offer more than can be carried, and look at a browser."""
    with Rig(PEERS["merge-uvicorn"], _ROOMS) as rig:
        rig.rate(_ROOMS)
        rig.browsers.ask(
            do="open",
            count=1,
            ports=rig.ports,
            rooms=_ROOMS,
            rooms_each=_WATCHED_IN_FLOOD,
            merge_rate=10,
        )
        rig.rate(offered)
        time.sleep(1)
        row = rig.measure(_FLOOD_SECONDS)
    return {
        "kind": "flood",
        "offered_per_second": offered,
        "taken_per_second": row["updates_per_second"],
        **{name: row[name] for name in ("p50_ms", "p99_ms", "max_ms", "stolen")},
        "prices_seen_per_second": row["delivered_per_second"],
    }
