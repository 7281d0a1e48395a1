"""How many updates one feeder receives and publishes, and what happens above that rate."""

from __future__ import annotations

import time
from typing import Any

from lab.kit.processes import Worker

from .rig import Rig, calmest
from .table_of_peers import PEERS, Peer

__all__ = ["STEPS", "SUBSCRIBERS", "held", "measure_ingest"]

_ROOMS = 500
STEPS = (1000, 2500, 5000, 10000, 15000, 20000, 25000, 30000)

#: A feeder keeps up if it receives at least this share of the updates, and 99 % of its prices
#: are at most this old at Redis, in milliseconds.
_TAKEN_SHARE = 0.98
AGE_MS = 100

_FLOOD_SECONDS = 12

#: Numbers of subscribers to all rooms, each like a web process, and the rate for this step.
SUBSCRIBERS = (1, 4, 16, 64)
_SPREAD_RATE = 2000
_WATCHED_IN_FLOOD = 20

#: The channels at Redis, and the format in which a price there contains its time of sending.
_WATCHING = {
    "stream": ("asgi__group__fcs.BINANCE*", "text"),
    "publisher": ("asgi__group__price*", "msgpack"),
}


def held(row: dict[str, Any]) -> bool:
    """Tell whether the feeder kept up in a step."""
    if row["p99_ms"] is None:
        return False
    is_taken: bool = row["taken_per_second"] >= _TAKEN_SHARE * row["offered_per_second"]
    return is_taken and row["p99_ms"] <= AGE_MS


def measure_ingest(feeder: str, seconds: float) -> list[dict[str, Any]]:
    """Raise the rate until the feeder does not keep up; then flood the stream.

    The flood has twice the highest rate that the stream kept up with. Two failed steps in a row
    end the series, because a single one may be caused by the machine.
    """
    rows: list[dict[str, Any]] = []
    with Rig(Peer(feeder, "", feeder=feeder), _ROOMS, web_processes=0) as rig:
        with Worker(
            "lab.benchmarks.watcher", str(rig.redis_ports[0]), *_WATCHING[feeder]
        ) as watcher:
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
    """Measure the load of Redis for increasing numbers of subscribers."""
    rows: list[dict[str, Any]] = []
    with Rig(Peer("stream", "", feeder="stream"), _ROOMS, web_processes=0) as rig:
        with Worker(
            "lab.benchmarks.watcher", str(rig.redis_ports[0]), *_WATCHING["stream"]
        ) as watcher:
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
    cpu = rig.cpu()
    sent = rig.source.ask(do="count")
    watcher.ask(do="start")
    time.sleep(seconds)
    sent_after, seen = rig.source.ask(do="count"), watcher.ask(do="stop")
    elapsed = sent_after["at"] - sent["at"]
    taken = max(1, sent_after["sent"] - sent["sent"])
    spent = {name: after - cpu[name] for name, after in rig.cpu().items()}
    return {
        "taken_per_second": taken / elapsed,
        "published_per_second": seen["prices"] / elapsed,
        "feeder_us": spent["feeder"] / 1000 / taken,
        "feeder_load": spent["feeder"] / 1e9 / elapsed,
        "redis_load": spent["redis"] / 1e9 / elapsed,
        **{name: seen[name] for name in ("p50_ms", "p99_ms", "max_ms")},
    }


def _flood(offered: float) -> dict[str, Any]:
    """Send more than the stream can process, and measure what a browser gets."""
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
