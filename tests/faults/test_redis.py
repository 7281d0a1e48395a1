"""Redis, or a way to it, fails: each on the pub/sub and on the core layer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

from redis.asyncio import Redis

from django_fcs.rooms import Room
from tests.faults.stage import Stage
from tests.support.waiting import eventually

Staged = Callable[..., Stage]

TWENTY = tuple(Room(f"BINANCE:COIN{number}USDT", "1D") for number in range(20))


async def test_a_redis_that_starts_again_without_its_data(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        accepted = stage.upstream.accepted
        async with stage.fault("Redis restart (data lost)"):
            await stage.restart_redis()
            # Prices flow again at once; then the leader finds its lease gone, and cuts the vendor.
            await eventually(lambda: stage.upstream.accepted > accepted, within=60)


async def test_a_redis_whose_packets_vanish_for_30_seconds(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        async with stage.fault("Redis black-holed for 30 s") as fault:
            with contextlib.ExitStack() as holes:
                for way in (stage.stream_redis, stage.web_redis, stage.cache):
                    holes.enter_context(way.black_hole())
                await asyncio.sleep(30)
        assert fault.states == ["offline", "live"]


async def test_a_web_process_that_alone_loses_redis_for_30_seconds(
    staged: Staged, layer: str
) -> None:
    async with staged(layer=layer, webs=2, pages=2) as stage:
        async with stage.fault("Redis black-holed for 30 s for one of two web processes") as fault:
            with stage.web_redis.black_hole():
                await asyncio.sleep(30)
        assert fault.states == ["offline", "live"]


async def test_a_redis_without_memory(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage, Redis(port=stage.redis_port) as redis:
        async with stage.fault("Redis out of memory", note="for 30 s, noeviction"):
            await redis.config_set("maxmemory", 1)
            await asyncio.sleep(30)
            await redis.config_set("maxmemory", 0)


async def test_a_layer_that_is_full(staged: Staged, layer: str) -> None:
    capacity = {"FAULTS_CAPACITY": "20"} if layer == "core" else {}
    rate = 5 if layer == "core" else 20
    # The kernel's buffers fill before Redis's own. With some megabytes that takes minutes.
    async with staged(
        layer=layer, rooms=TWENTY, rate=rate, kernel_bytes=65_536, **capacity
    ) as stage:
        note = "capacity 20" if layer == "core" else "Redis output buffer limit 64 kB"
        async with Redis(port=stage.redis_port) as redis:
            await redis.config_set("client-output-buffer-limit", "pubsub 65536 0 0")
        readers = await readers_of(stage)
        async with stage.fault("Layer at capacity") as fault:
            stage.webs[0].send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(8)
                await eventually(lambda: is_full(stage, readers), within=60)
            finally:
                stage.webs[0].send_signal(signal.SIGCONT)
            paused = stage.seconds_since(fault.began)
            each = len(TWENTY) * rate
            fault.note = (
                f"{note}; a web process paused for {paused:.0f} s, {each:,} prices a second"
            )


async def is_full(stage: Stage, readers: int) -> bool:
    """Whether the layer has thrown messages away, or one of its readers."""
    return stage.has_logged("over capacity") or await readers_of(stage) < readers


async def readers_of(stage: Stage) -> int:
    async with Redis(port=stage.redis_port) as redis:
        return len(await redis.client_list(_type="pubsub"))


async def test_group_membership_that_runs_out_is_renewed_before(staged: Staged, layer: str) -> None:
    async with staged(layer=layer, FAULTS_EXPIRY="15") as stage:
        expiry = {"core": "group_expiry 15 s instead of 24 h", "pubsub": "this layer has no expiry"}
        note = f"{expiry[layer]}; for 40 s"
        async with stage.fault("Group membership expiry", note=note) as fault:
            await asyncio.sleep(40)
        assert fault.states == [] or stage.stalls.is_held_up


async def test_group_membership_that_is_lost_is_found_again(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage, Redis(port=stage.redis_port) as redis:
        async with stage.fault("Group membership lost"):
            if layer == "core":
                groups = await redis.keys("asgi:group:*")
                assert groups
                await redis.delete(*groups)
            else:
                assert await redis.client_kill_filter(_type="pubsub") > 0
