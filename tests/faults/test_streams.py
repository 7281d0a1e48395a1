"""Streams that lead, stand by, are killed, stopped and paused."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable

from tests.faults.stage import LATE_SECONDS, TAKEOVER_SECONDS, Fault, Stage
from tests.support.proxy import Heard
from tests.support.waiting import eventually

Staged = Callable[..., Stage]

LEAVE_SECONDS = 5


def was_followed_soon(fault: Fault, stage: Stage) -> bool:
    assert fault.figures is not None
    return fault.figures.longest_gap < TAKEOVER_SECONDS + stage.stalls.excuse


async def test_a_standby_follows_a_killed_leader(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        await stage.start_standby()
        async with stage.fault("Leader SIGKILL", note="with a standby") as fault:
            await stage.stop(stage.streams[0], signal.SIGKILL)
        assert was_followed_soon(fault, stage)
        assert fault.changes == [] or stage.stalls.is_held_up
        assert stage.vendor.connections == 1


async def test_a_leader_that_is_killed_as_soon_as_it_leads_is_followed_without_a_word(
    staged: Staged, layer: str
) -> None:
    async with staged(layer=layer, streams=2) as stage:
        leader = await stage.leader_of_two()
        name = "Leader SIGKILL as soon as it leads"
        async with stage.fault(name, note="with a standby") as fault:
            await stage.stop(leader, signal.SIGKILL)
        assert was_followed_soon(fault, stage)
        assert fault.changes == [] or stage.stalls.is_held_up
        assert stage.vendor.connections == 1


async def test_a_standby_follows_a_leader_that_leaves(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        await stage.start_standby()
        async with stage.fault("Leader SIGTERM", note="with a standby") as fault:
            leader = stage.streams[0]
            await stage.stop(leader, signal.SIGTERM)
            left_after = stage.seconds_since(fault.began)
        assert leader.returncode == 0
        assert left_after < LEAVE_SECONDS + stage.stalls.excuse
        assert was_followed_soon(fault, stage)
        assert fault.changes == [] or stage.stalls.is_held_up
        assert stage.vendor.connections == 1


async def test_a_leader_that_wakes_up_again_says_nothing(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        leader = stage.streams[0]
        vendor, redis = await stage.separate_ways()
        await stage.start_standby()
        name = "Leader SIGSTOP for 30 s, then SIGCONT"
        async with stage.fault(name, note="with a standby") as fault:
            with redis.overheard() as said:
                # Not in the middle of a word, which it would finish when it wakes up.
                await eventually(lambda: said and stage.seconds_since(said[-1].at) > 0.1, within=60)
            fault.began = time.monotonic()
            leader.send_signal(signal.SIGSTOP)
            await eventually(lambda: stage.upstream.accepted, within=60)
            await asyncio.sleep(30 - stage.seconds_since(fault.began))
            with redis.overheard() as said:
                leader.send_signal(signal.SIGCONT)
                await eventually(lambda: not vendor.connections, within=60)
                # Longer than any burst, beat or save would have to wait.
                await asyncio.sleep(5)
        assert said
        assert not published(said)
        # Which of two moments was the first can only be told roughly from here.
        assert vendor.ended_at < said[0].at + LATE_SECONDS + stage.stalls.excuse
        assert was_followed_soon(fault, stage)
        assert fault.changes == [] or stage.stalls.is_held_up
        connected = (stage.vendor.connections, vendor.accepted, stage.upstream.accepted)
        assert connected == (1, 1, 1) or stage.stalls.is_held_up


def published(said: Iterable[Heard]) -> list[Heard]:
    """Return what tells of prices, of rooms or of a leader that is alive."""
    kinds = (b"fcs.price", b"fcs.room", b"fcs.beat")
    return [heard for heard in said if any(kind in heard.data for kind in kinds)]


async def test_of_two_streams_that_start_at_once_one_leads(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        note = "after the only stream was killed"
        accepted = stage.upstream.accepted
        async with stage.fault("Two streams started at once", note=note):
            await stage.stop(stage.streams[0], signal.SIGKILL)
            await asyncio.gather(stage.start_stream(), stage.start_stream())
            await eventually(lambda: stage.upstream.accepted > accepted, within=120)
            # Long enough for a second leader, if there were one.
            await asyncio.sleep(10)
        assert stage.vendor.connections == 1
        assert stage.upstream.accepted == accepted + 1 or stage.stalls.is_held_up
